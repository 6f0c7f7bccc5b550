//! Tables.

use std::fmt::Write;

/// A table with its first column to the left and the others, if `numbers`, to the right.
pub(super) fn table(names: &[&str], numbers: bool, rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    let rule = if numbers { "---:" } else { "---" };
    let rules: Vec<&str> = (0..names.len()).map(|at| if at == 0 { "---" } else { rule }).collect();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "| {} |\n| {} |", names.join(" | "), rules.join(" | "));
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

/// A whole number with a comma at each thousand.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_line_for_each_row() {
        let rows = [vec!["a|b".to_owned(), "1".to_owned()]];
        assert_eq!(table(&["what", "n"], true, &rows), "| what | n |\n| --- | ---: |\n| a\\|b | 1 |\n");
    }

    #[test]
    fn thousands_are_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
