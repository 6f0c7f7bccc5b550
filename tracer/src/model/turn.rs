//! Who uses a connection in turn, and what each has said last.

use super::{Crossing, Origin, ProcId, Socket, Usage};

/// What a process has said last on a connection, as far as its protocol tells. Its goodbye is no use of the
/// session, nor is what comes after it, whoever has said one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LastWord {
    /// Nothing that tells.
    #[default]
    None,
    /// A request.
    Request,
    /// That it begins nothing more, and may finish what it has begun (GOAWAY: RFC 9113,
    /// 6.8); it was not sent yet.
    Leaving,
    /// A goodbye to the session.
    Goodbye,
}

/// Consecutive use by one process.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// Who.
    pub process: ProcId,
    /// Which thread began it.
    pub tid: u32,
    /// Under which number.
    pub fd: i32,
    /// By which call it began.
    pub nr: u16,
    /// From when.
    pub from: u64,
    /// Until when.
    pub to: u64,
    /// Bytes sent.
    pub sent: u64,
    /// Bytes received.
    pub received: u64,
    /// It was not seen: the process had the connection before forkscope looked.
    pub assumed: bool,
    /// What was said in it.
    pub(super) word: LastWord,
}

impl Turn {
    /// One that begins now, under this number; nothing has moved yet.
    pub(super) fn begin(at: Origin, fd: i32) -> Self {
        let Origin { time, process, tid, nr } = at;
        Self {
            process,
            tid,
            fd,
            nr,
            from: time,
            to: time,
            sent: 0,
            received: 0,
            assumed: false,
            word: LastWord::None,
        }
    }

    /// A later one of the same process belongs to it.
    fn add(&mut self, later: &Self) {
        self.to = later.to;
        self.sent = self.sent.saturating_add(later.sent);
        self.received = self.received.saturating_add(later.received);
    }

    /// Whether it is a goodbye and nothing before it, or comes after that of the same process.
    #[must_use]
    pub fn is_goodbye(&self) -> bool {
        self.word == LastWord::Goodbye
    }
}

impl Socket {
    /// Turns that are remembered.
    const TURNS: usize = 16;

    /// Adds to the turn of its process, or begins one. A fork ends a turn: what comes after it,
    /// the child's copy of the session's state does not know. `forked`: when the process forked
    /// last, where that may matter.
    pub(super) fn take_turn(&mut self, mut turn: Turn, forked: u64) {
        let process = turn.process;
        let forked = self.crossed.map_or(0, Crossing::time).max(forked);
        let goes_on =
            |last: &&mut Turn| last.process == turn.process && (last.to >= forked || turn.from < forked);
        if let Some(last) = self.turns.last_mut().filter(goes_on) {
            if last.assumed && !turn.assumed {
                (last.tid, last.fd, last.nr) = (turn.tid, turn.fd, turn.nr);
            }
            // After GOAWAY it may go on: with what it sends, not with what it hears.
            let has_left = |usage: &Usage| usage.process == process && usage.last_word == LastWord::Goodbye;
            if last.is_goodbye() && turn.sent > 0 && !self.users.iter().any(has_left) {
                last.word = LastWord::None;
            }
            last.add(&turn);
            last.assumed &= turn.assumed;
            return;
        }
        // Of four in a row of one process, between its forks, the oldest are one.
        if let [.., one, two, three] = &mut self.turns[..]
            && [one.process, two.process, three.process] == [process; 3]
            && (one.assumed, one.is_goodbye()) == (two.assumed, two.is_goodbye())
        {
            one.add(two);
            self.turns.remove(self.turns.len() - 2);
        }
        if self.turns.len() == Self::TURNS {
            self.turns.remove(Self::TURNS / 2);
        }
        if let Some(usage) = self.users.iter_mut().find(|usage| usage.process == process) {
            match usage.last_word {
                LastWord::Goodbye => turn.word = LastWord::Goodbye,
                LastWord::Leaving => (turn.word, usage.last_word) = (LastWord::Goodbye, LastWord::None),
                LastWord::None | LastWord::Request => {}
            }
        }
        self.turns.push(turn);
    }

    /// Whether the last that a process has said is a goodbye to the session.
    #[must_use]
    pub fn has_said_goodbye(&self, process: ProcId) -> bool {
        self.usage(process).is_some_and(|usage| usage.last_word == LastWord::Goodbye)
    }

    /// A process has begun a request.
    pub(super) fn note_request(&mut self, by: Origin, fd: i32) {
        self.set_last_word(by.process, fd, LastWord::Request);
        if let Some(turn) = self.turns.last_mut().filter(|turn| turn.process == by.process) {
            turn.word = LastWord::Request;
        }
    }

    /// A process has said goodbye. `inside_tls`: what the session itself says to its end comes first there,
    /// as data: PostgreSQL's Terminate. `goes_on`: it may, as after GOAWAY.
    pub(super) fn note_goodbye(&mut self, by: Origin, fd: i32, inside_tls: bool, goes_on: bool) {
        let asked = self.usage(by.process).is_some_and(|usage| usage.last_word == LastWord::Request);
        if let Some(turn) = self.turns.last_mut().filter(|turn| turn.process == by.process) {
            let unanswered_in_tls = inside_tls && turn.received == 0 && !asked;
            if turn.word != LastWord::Request && (turn.from == by.time || unanswered_in_tls) {
                turn.word = LastWord::Goodbye;
            }
        }
        if !goes_on {
            self.set_last_word(by.process, fd, LastWord::Goodbye);
        } else if inside_tls {
            self.set_last_word(by.process, fd, LastWord::Leaving);
        }
    }

    /// What is said inside TLS is known before the first byte of it is sent.
    fn set_last_word(&mut self, process: ProcId, fd: i32, word: LastWord) {
        if let Some(usage) = self.usage_mut(process, fd) {
            usage.last_word = word;
        }
    }
}
