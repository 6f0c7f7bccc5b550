//! Blocks of fourteen encoders, as the working group's members published them to test each other's decoders
//! (github.com/http2jp/hpack-test-case, MIT licence): a story of each, and of it what is told.
//!
//! `# encoder story` begins a direction; each line after it is a block in hexadecimal and its `:method`,
//! `:path` without a query and `:status`, `-` where it has none.

use super::*;
use crate::protocol::Kept;
use crate::protocol::kept::nothing;

const STORIES: &str = include_str!("vectors.txt");

#[test]
fn what_others_encode_is_read() {
    let [mut live, mut replayed] = [Hpack::new(Table::new(true)), Hpack::new(Table::new(true))];
    let mut blocks = 0;
    for line in STORIES.lines() {
        let mut words = line.split(' ');
        let first = words.next().unwrap_or_default();
        if first == "#" {
            [live, replayed] = [Hpack::new(Table::new(true)), Hpack::new(Table::new(true))];
            continue;
        }
        let digits: Vec<u32> = first.chars().filter_map(|char| char.to_digit(16)).collect();
        let block: Vec<u8> = digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect();
        let mut shown = vec![Kept::FILL; block.len()];
        live.read(&block, &mut |range| shown[range.clone()].copy_from_slice(&block[range]));
        replayed.read(&shown, &mut nothing);
        let fields = live.end();
        assert_eq!(fields, replayed.end(), "{line}");
        let [verb, path, status] = [(); 3].map(|()| words.next().filter(|&word| word != "-"));
        let read = (fields.verb.map(Verb::name), fields.path.as_deref(), fields.status);
        assert_eq!(read, (verb, path, status.and_then(|code| code.parse().ok())), "{line}");
        assert!(!fields.gaps, "{line}");
        blocks += 1;
    }
    assert!(blocks > 50, "{blocks}");
}
