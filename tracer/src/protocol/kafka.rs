//! Kafka's protocol (Kafka protocol guide). It has no goodbye: clients close.

mod message;

use super::keyed::{Dialect, Heard, Keyed, KeyedSession};
use super::speech::{Fits, Side, Speech};
use super::walker::Head;
use super::{Protocol, Sign};
use message::Request;

pub(super) const SPEECH: Speech = Speech {
    protocol: Protocol::Kafka,
    name: "Kafka",
    in_user_memory: true,
    opens: message::opens,
    may_open: message::may_open,
    fits: message::fits,
    session: |start| Box::new(KeyedSession::<Kafka>::new(start)),
};

/// A response has its request's correlation id, and comes in the requests' order ("Network").
#[derive(Debug, Default)]
struct Kafka;

impl Dialect for Kafka {
    const FITS: Fits = message::fits;

    fn resumes(from: Option<Side>) -> Fits {
        if from == Some(Side::Client) { message::fits } else { message::resumes }
    }

    fn head(from: Option<Side>, bytes: &[u8]) -> Head {
        if from == Some(Side::Client) { message::request_head(bytes) } else { message::response_head(bytes) }
    }

    fn hear(&mut self, heard: &Heard<'_>, asked: &mut Keyed, out: &mut dyn FnMut(Sign)) {
        let head = heard.message.head();
        match heard.from {
            Side::Client => {
                let Some(request) = Request::parse(head) else { return };
                // Produced with acks=0, a message has no response.
                let silent = request.key == message::PRODUCE;
                asked.request(request.correlation.into(), heard.user, silent, out);
            }
            Side::Server => {
                let Some(correlation) = message::correlation(head) else { return };
                asked.reply(correlation.into(), heard.user, out);
            }
        }
    }
}

#[cfg(test)]
mod tests;
