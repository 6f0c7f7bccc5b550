//! Pictures of figures, as SVG.

pub(super) mod bars;
pub(super) mod lines;

const TEXT: &str = "#333";
const QUIET: &str = "#bbb";
const BACKGROUND: &str = "#fff";

/// The picture's frame around its parts.
fn picture(width: f64, height: f64, parts: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"{BACKGROUND}\"/>\n{parts}</svg>\n"
    )
}

/// A line of text; `anchor` is `start`, `middle` or `end`.
fn text(x: f64, y: f64, anchor: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{TEXT}\">{text}</text>\n")
}

fn line([x1, y1]: [f64; 2], [x2, y2]: [f64; 2], colour: &str) -> String {
    format!("<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\"/>\n")
}
