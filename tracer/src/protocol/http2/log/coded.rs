//! Numbers of streams with a byte for each, in as little room as can be: connections remember some dozens of
//! streams, and there are many connections.

use crate::protocol::{Direction, fetch};

/// What is said of a stream beside its number: the place of what was seen on it, and
/// which directions have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark(u8);

impl Mark {
    /// How many places can be told apart.
    pub(super) const PLACES: usize = 64;

    const ENDED: [u8; 2] = [0x40, 0x80];

    /// None has ended.
    pub(super) fn new(place: usize) -> Self {
        Self(place as u8 & !(Self::ENDED[0] | Self::ENDED[1]))
    }

    pub(super) fn place(self) -> usize {
        usize::from(Self::new(self.0.into()).0)
    }

    /// The same of another place.
    pub(super) fn at(self, place: usize) -> Self {
        Self(Self::new(place).0 | self.0 & (Self::ENDED[0] | Self::ENDED[1]))
    }

    /// This direction has ended.
    pub(super) fn ended(self, dir: Direction) -> Self {
        Self(self.0 | Self::ENDED[dir.index()])
    }

    /// Whether it has.
    pub(super) fn has_ended(self, dir: Direction) -> bool {
        self.0 & Self::ENDED[dir.index()] != 0
    }

    /// Both have.
    pub(super) fn is_over(self) -> bool {
        self.has_ended(Direction::Sent) && self.has_ended(Direction::Received)
    }
}

/// Numbers in the order in which they were added, each as its distance from the one before, with its mark.
#[derive(Clone, Debug, Default)]
pub(super) struct Coded {
    /// Distances as in [`write`], each followed by the mark.
    bytes: Vec<u8>,
    /// The first distance is from here.
    base: u32,
    newest: u32,
}

/// A number with its mark: where that is, and where the two begin.
#[derive(Clone, Copy)]
struct Place {
    id: u32,
    from: usize,
    mark: usize,
}

impl Coded {
    /// For how many more bytes there is room each time that it grows.
    const ROOM: usize = 16;

    /// Has the processor fetch them.
    pub(super) fn fetch(&self) {
        fetch(&self.bytes[..]);
    }

    fn places(&self) -> impl Iterator<Item = Place> {
        let (mut at, mut id) = (0, self.base);
        std::iter::from_fn(move || {
            let (distance, length) = read(self.bytes.get(at..)?)?;
            id = id.wrapping_add(distance);
            let place = Place { id, from: at, mark: at + length };
            at += length + 1;
            Some(place)
        })
    }

    fn mark(&self, at: usize) -> Mark {
        Mark(self.bytes[at])
    }

    /// All, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Mark)> {
        self.places().map(|place| (place.id, self.mark(place.mark)))
    }

    pub(super) fn push(&mut self, id: u32, mark: Mark) {
        if self.bytes.is_empty() {
            // The first number of a stream is small.
            (self.base, self.newest) = (0, 0);
        }
        let mut code = [0; MOST];
        let length = write(&mut code, id.wrapping_sub(self.newest));
        if self.bytes.capacity() - self.bytes.len() <= length {
            self.bytes.reserve_exact(Self::ROOM);
        }
        self.bytes.extend_from_slice(&code[..length]);
        self.bytes.push(mark.0);
        self.newest = id;
    }

    /// Removes the oldest number that is, with its mark, as is asked: which it was, and its mark.
    pub(super) fn remove(&mut self, is: impl Fn(u32, Mark) -> bool) -> Option<(u32, Mark)> {
        let mut before = self.base;
        let gone = self.places().find(|place| {
            let found = is(place.id, self.mark(place.mark));
            before = if found { before } else { place.id };
            found
        })?;
        let mark = self.mark(gone.mark);
        if gone.from == 0 {
            self.base = gone.id;
            self.bytes.drain(..=gone.mark);
        } else if let Some((distance, length)) = read(&self.bytes[gone.mark + 1..]) {
            // The two distances as one need no more room than they and the mark between them.
            let after = gone.id.wrapping_add(distance);
            let joined = write(&mut self.bytes[gone.from..], after.wrapping_sub(before));
            self.bytes.drain(gone.from + joined..gone.mark + 1 + length);
        } else {
            self.newest = before;
            self.bytes.truncate(gone.from);
        }
        Some((gone.id, mark))
    }
}

/// The most bytes of a distance.
const MOST: usize = 5;

/// Writes a distance, forth or back: small ones in one byte, with a bit in each byte that
/// says whether more follow.
fn write(out: &mut [u8], distance: u32) -> usize {
    let mut left = distance << 1 ^ (distance as i32 >> 31) as u32;
    let mut length = 0;
    while left >= 0x80 {
        out[length] = left as u8 | 0x80;
        left >>= 7;
        length += 1;
    }
    out[length] = left as u8;
    length + 1
}

/// The distance that begins here, and its bytes.
#[inline]
fn read(bytes: &[u8]) -> Option<(u32, usize)> {
    if let Some(&byte) = bytes.first().filter(|&&byte| byte < 0x80) {
        let value = u32::from(byte);
        return Some((value >> 1 ^ (value & 1).wrapping_neg(), 1));
    }
    let mut value = 0;
    for (at, &byte) in bytes.iter().enumerate().take(MOST) {
        value |= u32::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            return Some((value >> 1 ^ (value & 1).wrapping_neg(), at + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests;
