//! The files under tests/corpus: each was made, or found, to hurt a reader.

use super::{Broken, OpenError, Reader};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// How reading a file ends.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// It has so many entries, the end with them.
    Whole(usize),
    /// So many, and then no more.
    Broken(usize, Broken),
    /// It is not opened.
    Refused(&'static str),
}

use Outcome::{Refused, Whole};

const EXPECTED: [(&str, Outcome); 12] = [
    // What version 1 wrote must be read for good.
    ("whole.rec", Whole(10)),
    ("truncated.rec", Outcome::Broken(4, Broken::Cut)),
    ("flipped.rec", Outcome::Broken(4, Broken::Damaged)),
    ("future.rec", Refused("version 2")),
    ("text.rec", Refused("no recording")),
    ("header-lengths.rec", Refused("header")),
    ("chunk-lengths.rec", Outcome::Broken(0, Broken::Damaged)),
    ("column-lengths.rec", Outcome::Broken(0, Broken::Damaged)),
    ("payload-lengths.rec", Outcome::Broken(0, Broken::Damaged)),
    ("snapshot-lengths.rec", Outcome::Broken(0, Broken::Damaged)),
    // One that says how large it will be, and one that does not.
    ("bomb.rec", Outcome::Broken(0, Broken::Damaged)),
    ("bomb-hidden.rec", Outcome::Broken(0, Broken::Damaged)),
];

fn read(bytes: &[u8]) -> Outcome {
    let mut reader = match Reader::open(bytes) {
        Ok(reader) => reader,
        Err(error @ OpenError::Version(_)) if error.to_string().contains("version 2,") => {
            return Refused("version 2");
        }
        Err(OpenError::NotARecording) => return Refused("no recording"),
        Err(_) => return Refused("header"),
    };
    let mut entries = 0;
    loop {
        match reader.next_entry() {
            Ok(Some(_)) => entries += 1,
            Ok(None) => return Whole(entries),
            Err(broken) => return Outcome::Broken(entries, broken),
        }
    }
}

#[test]
fn each_file_is_read_as_far_as_it_is_good() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let files = fs::read_dir(folder).expect("it is in the tree").map(|file| file.expect("readable"));
    let outcomes: BTreeMap<_, _> = files
        .map(|file| {
            let bytes = fs::read(file.path()).expect("readable");
            (file.file_name().into_string().expect("a plain name"), read(&bytes))
        })
        .collect();
    let expected = EXPECTED.into_iter().map(|(name, outcome)| (name.to_owned(), outcome)).collect();
    assert_eq!(outcomes, expected);
}
