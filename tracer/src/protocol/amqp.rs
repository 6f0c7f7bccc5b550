//! AMQP 0-9-1 (specification of the AMQP Working Group), as RabbitMQ and its clients speak it.

mod channels;
mod frame;
mod method;

use super::keyed::{Dialect, Heard, Keyed, KeyedSession};
use super::speech::{Fits, Side, Speech};
use super::walker::Head;
use super::{Direction, Protocol, Sign};
use channels::Channels;
use frame::Frame;
use method::{CHANNEL_CLOSE, CHANNEL_OPEN, CONNECTION_CLOSE, CONNECTION_CLOSE_OK, Whose};

pub(super) const SPEECH: Speech = Speech {
    protocol: Protocol::Amqp,
    name: "AMQP",
    in_user_memory: true,
    opens: frame::opens,
    may_open: frame::may_open,
    fits: frame::fits,
    session: |start| Box::new(KeyedSession::<Amqp>::new(start)),
};

/// A method that the server answers is a request; its reply is told by channel, class and number. Any of them
/// may say in its arguments that no answer is wanted.
#[derive(Debug, Default)]
struct Amqp {
    channels: Channels,
}

/// Names a request: its channel, class and number.
fn key(channel: u16, class: u16, number: u16) -> u64 {
    u64::from(channel) << 32 | u64::from(class) << 16 | u64::from(number)
}

impl Dialect for Amqp {
    const FITS: Fits = frame::fits;

    fn head(_from: Option<Side>, bytes: &[u8]) -> Head {
        frame::head(bytes)
    }

    fn hear(&mut self, heard: &Heard<'_>, asked: &mut Keyed, out: &mut dyn FnMut(Sign)) {
        let Some(frame) = Frame::parse(heard.message.head()) else { return };
        match heard.from {
            Side::Client => self.said(heard, frame, asked, out),
            Side::Server => self.answered(heard, frame, asked, out),
        }
    }

    fn miss(&mut self) {
        self.channels = Channels::default();
    }
}

impl Amqp {
    /// The client's method.
    fn said(&mut self, heard: &Heard<'_>, frame: Frame, asked: &mut Keyed, out: &mut dyn FnMut(Sign)) {
        let Some(method) = frame.method() else { return };
        let (channel, numbers, user) = (frame.channel, frame.numbers, heard.user);
        if heard.dir == Direction::Sent {
            match numbers {
                CONNECTION_CLOSE => out(Sign::Goodbye { by: user, message: "Connection.Close" }),
                CHANNEL_OPEN => self.channels.open(channel, user, heard.exact, out),
                CHANNEL_CLOSE => self.channels.close(channel, user),
                _ if channel != 0 => self.channels.used(channel, user, heard.exact, out),
                _ => {}
            }
        }
        if method.is_answered() {
            asked.request(key(channel, numbers.0, numbers.1), user, true, out);
        }
    }

    /// The server's method.
    fn answered(&mut self, heard: &Heard<'_>, frame: Frame, asked: &mut Keyed, out: &mut dyn FnMut(Sign)) {
        let Some(method) = frame.method() else { return };
        match (frame.numbers, method.whose) {
            (CONNECTION_CLOSE | CONNECTION_CLOSE_OK, _) => {
                asked.no_reply();
                if heard.dir == Direction::Received {
                    out(Sign::PeerGoodbye { reader: heard.user, message: method.name });
                }
            }
            (CHANNEL_CLOSE, _) => {
                asked.no_reply();
                self.channels.gone(frame.channel);
            }
            ((class, _), Whose::Answer(number)) => {
                asked.reply(key(frame.channel, class, number), heard.user, out);
            }
            (_, Whose::Client | Whose::Server | Whose::Either) => asked.no_reply(),
        }
    }
}

#[cfg(test)]
mod tests;
