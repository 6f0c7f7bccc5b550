//! Header blocks of one direction (HPACK, RFC 7541), read from outside and from anywhere on.
//!
//! One reader a direction: what several processes send goes into one decoder at the peer, and so
//! into one here. It reads what the wire says, also where their encoders have drifted apart. What
//! was not seen is unknown, not an error: an index counts from the newest entry, so that what was
//! added since is known for certain.
//!
//! Of most fields only the lengths are read: their values, which may be secrets, are passed over.

mod huffman;
mod names;
mod table;
mod value;

pub use value::Verb;

use crate::protocol::speech::Note;
use names::{Match, Name};
use std::sync::Arc;
pub(super) use table::Table;
use value::{Reader, Value};

/// The largest number in a block that is taken for one: lengths and indexes are far smaller.
const MOST: u32 = 1 << 28;

/// What a header block said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields {
    /// `:path`, without its query.
    pub(super) path: Option<Arc<str>>,
    /// `:method`.
    pub(super) verb: Option<Verb>,
    /// `:status`.
    pub(super) status: Option<u16>,
    /// `grpc-status`.
    pub(super) grpc_status: Option<u16>,
    /// Is its `content-type` gRPC's?
    pub(super) grpc: Option<bool>,
    /// A part of it was not seen, or refers to what was not seen.
    pub(super) gaps: bool,
}

/// How a field is written (6).
#[derive(Clone, Copy, Debug)]
enum Form {
    Indexed,
    /// With a value of its own; is it added to the table?
    Literal(bool),
    Resize,
}

/// What an integer says.
#[derive(Clone, Copy, Debug)]
enum Of {
    Index(Form),
    NameLength,
    ValueLength,
}

/// The place in a block.
///
/// ```text
///   Field -> index -+-> (indexed) -----------------------------------------------> Field
///                   +-> (literal) -> [length -> name] -> length -> value --------> Field
///   any --- what cannot be ---> Broken
/// ```
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A field begins.
    Field,
    /// The length of a string begins.
    Length(Of),
    /// An integer goes on (5.1), of a string that is Huffman-coded or not.
    Integer { of: Of, huffman: bool, value: u32, shift: u8 },
    /// Bytes of a name, and how many are still to come.
    Name { left: u32 },
    /// Likewise of a value.
    Value { left: u32 },
    /// The rest of the block says nothing.
    Broken,
}

/// Reads header blocks.
#[derive(Debug)]
pub(super) struct Hpack {
    table: Table,
    step: Step,
    /// Of the literal field that is being read: is it added, its name, how many bytes that has at least.
    adds: bool,
    name: Name,
    name_length: u32,
    found: Match,
    value: Reader,
    value_length: u32,
    fields: Fields,
}

impl Hpack {
    /// Where a block begins.
    pub(super) fn new(table: Table) -> Self {
        Self {
            table,
            step: Step::Field,
            adds: false,
            name: Name::Other,
            name_length: 0,
            found: Match::default(),
            value: Reader::new(),
            value_length: 0,
            fields: Fields::default(),
        }
    }

    /// Reads more of a block.
    pub(super) fn read(&mut self, data: &[u8], note: Note<'_>) {
        let mut at = 0;
        while let Some(&byte) = data.get(at) {
            at += match self.step {
                Step::Field if is_index(byte) => {
                    let count = data[at..].iter().take_while(|&&byte| is_index(byte)).count();
                    note(at..at + count);
                    data[at..at + count].iter().for_each(|byte| self.indexed((byte & 0x7f).into()));
                    count
                }
                Step::Field => {
                    note(at..at + 1);
                    self.field(byte);
                    1
                }
                Step::Length(of) => {
                    note(at..at + 1);
                    self.integer(of, byte & 0x80 != 0, byte, 7);
                    1
                }
                Step::Integer { of, huffman, value, shift } => {
                    note(at..at + 1);
                    self.more(of, huffman, value, shift, byte);
                    1
                }
                Step::Name { left } => {
                    let part = (data.len() - at).min(left as usize);
                    let told = self.found.push(&data[at..at + part]);
                    note(at..at + told);
                    self.step = Step::Name { left: left - part as u32 };
                    if left == part as u32 {
                        self.name = self.found.name();
                        self.step = Step::Length(Of::ValueLength);
                    }
                    part
                }
                Step::Value { left } => {
                    let part = (data.len() - at).min(left as usize);
                    self.value.push(&data[at..at + part], &mut |range| {
                        note(at + range.start..at + range.end);
                    });
                    self.step = Step::Value { left: left - part as u32 };
                    if left == part as u32 {
                        let value = self.value.end();
                        self.literal(value);
                    }
                    part
                }
                Step::Broken => return,
            };
        }
        self.value.pause();
    }

    /// Is no block begun?
    pub(super) fn is_between(&self) -> bool {
        matches!(self.step, Step::Field) && self.fields == Fields::default()
    }

    /// All that lasts between blocks.
    pub(super) fn into_table(self) -> Table {
        self.table
    }

    /// The block is complete. Says what it said.
    pub(super) fn end(&mut self) -> Fields {
        if !matches!(self.step, Step::Field) {
            return self.lose();
        }
        std::mem::take(&mut self.fields)
    }

    /// Bytes of blocks were missed: the rest of this one, or others. Says what this one has said.
    pub(super) fn lose(&mut self) -> Fields {
        self.step = Step::Field;
        self.table.lose();
        Fields { gaps: true, ..std::mem::take(&mut self.fields) }
    }

    /// The first byte of a field (6).
    fn field(&mut self, byte: u8) {
        let (form, prefix) = match byte {
            0x80.. => (Form::Indexed, 7),
            0x40.. => (Form::Literal(true), 6),
            0x20.. => (Form::Resize, 5),
            _ => (Form::Literal(false), 4),
        };
        self.integer(Of::Index(form), false, byte, prefix);
    }

    /// An integer begins in the lower bits of a byte (5.1).
    fn integer(&mut self, of: Of, huffman: bool, byte: u8, prefix: u8) {
        let most = (1u32 << prefix) - 1;
        match u32::from(byte) & most {
            value if value == most => self.step = Step::Integer { of, huffman, value, shift: 0 },
            value => self.number(of, huffman, value),
        }
    }

    /// One more byte of an integer.
    fn more(&mut self, of: Of, huffman: bool, value: u32, shift: u8, byte: u8) {
        let part = u32::from(byte & 0x7f).checked_shl(shift.into()).filter(|part| *part <= MOST);
        let value = part.map(|part| value + part).filter(|value| *value <= MOST && shift < 28);
        match value {
            None => self.step = Step::Broken,
            Some(value) if byte & 0x80 != 0 => {
                self.step = Step::Integer { of, huffman, value, shift: shift + 7 };
            }
            Some(value) => self.number(of, huffman, value),
        }
    }

    /// An integer is complete.
    fn number(&mut self, of: Of, huffman: bool, value: u32) {
        match of {
            Of::Index(Form::Indexed) if value == 0 => self.step = Step::Broken,
            Of::Index(Form::Indexed) => {
                self.indexed(value);
                self.step = Step::Field;
            }
            Of::Index(Form::Resize) => {
                self.table.resize(value);
                self.step = Step::Field;
            }
            Of::Index(Form::Literal(adds)) => {
                self.adds = adds;
                (self.name, self.name_length) =
                    if value == 0 { (Name::Other, 0) } else { self.table.name(value) };
                self.step = Step::Length(if value == 0 { Of::NameLength } else { Of::ValueLength });
            }
            Of::NameLength => {
                self.found = Match::begin(huffman, value);
                self.name_length = least(huffman, value);
                self.step = Step::Name { left: value };
                if value == 0 {
                    self.step = Step::Length(Of::ValueLength);
                }
            }
            Of::ValueLength => {
                self.value.restart(self.name, huffman, value);
                self.value_length = least(huffman, value);
                self.step = Step::Value { left: value };
                if value == 0 {
                    let value = self.value.end();
                    self.literal(value);
                }
            }
        }
    }

    /// A field stands in the table.
    fn indexed(&mut self, index: u32) {
        let (name, _) = self.table.name(index);
        if name != Name::Other {
            let value = self.table.value(index);
            self.say(name, value);
        }
    }

    /// A literal field is complete.
    fn literal(&mut self, value: Value) {
        if self.adds {
            self.table.insert(self.name, value.clone(), self.name_length, self.value_length);
        }
        self.say(self.name, value);
        self.step = Step::Field;
    }

    /// A field said this.
    fn say(&mut self, name: Name, value: Value) {
        let fields = &mut self.fields;
        match (name, value) {
            (Name::Path, Value::Path(path)) => fields.path = Some(path),
            (Name::Method, Value::Verb(verb)) => fields.verb = Some(verb),
            (Name::Status, Value::Code(code)) => fields.status = Some(code),
            (Name::GrpcStatus, Value::Code(code)) => fields.grpc_status = Some(code),
            (Name::ContentType, Value::Grpc(grpc)) => fields.grpc = Some(grpc),
            (Name::Other, _) => {}
            _ => fields.gaps = true,
        }
    }
}

/// Whether a field that begins with this byte is one that stands in the table, under an index that ends with
/// the byte (6.1): so are most of the fields of most blocks.
fn is_index(byte: u8) -> bool {
    matches!(byte, 0x81..=0xfe)
}

/// The fewest bytes of a string that has so many on the wire.
fn least(huffman: bool, length: u32) -> u32 {
    if huffman { huffman::least(length) } else { length }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
