//! How long keys waited.

use std::fmt;
use std::time::Duration;

/// The times of answers.
#[derive(Default)]
pub(super) struct Answers(Vec<Duration>);

impl Answers {
    pub(super) fn note(&mut self, time: Duration) {
        self.0.push(time);
    }
}

/// As fields of JSON, in milliseconds; of a hundred answers, one takes longer than `p99_ms`.
impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut times: Vec<f64> = self.0.iter().map(|time| time.as_secs_f64() * 1e3).collect();
        times.sort_by(f64::total_cmp);
        write!(f, r#""keys":{}"#, times.len())?;
        for (name, share) in [("p50_ms", 0.5), ("p99_ms", 0.99), ("most_ms", 1.0)] {
            let at = (times.len() as f64 * share).ceil() as usize;
            let time = at.checked_sub(1).and_then(|at| times.get(at)).copied().unwrap_or(0.0);
            write!(f, r#","{name}":{time:.2}"#)?;
        }
        Ok(())
    }
}
