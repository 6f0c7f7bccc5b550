//! What pages know of their numbers is what is behind these.

use super::*;
use crate::model::ProcId;
use forkscope_proto::FileKind;
use proptest::prelude::*;

const AT: Origin = Origin { time: 1, process: ProcId(1), tid: 1, nr: 1 };
const END: End = End { by: AT, result: 0 };

fn file(socket: u32) -> Rc<OpenFile> {
    OpenFile::example(1, FileKind::Socket, AT, (socket > 0).then_some(SockId(socket)))
}

proptest! {
    /// Numbers are given a file, with a socket or without (0), or closed; now and then the table is copied.
    #[test]
    fn a_search_finds_what_is_there(
        steps in prop::collection::vec((0..300_i32, prop::option::of(0..6_u32), prop::bool::weighted(0.1)), 1..200),
        most in 0..250_usize,
    ) {
        let (mut table, mut copies) = (Table::default(), Vec::new());
        for (fd, put, copy) in steps {
            match put {
                Some(socket) => table.put(fd, Holding::new(file(socket), AT, false), END),
                None => drop(table.clear(fd, END)),
            }
            if copy {
                copies.push(table.clone());
            }
        }
        copies.push(table);
        for held in copies.iter().flat_map(|table| table.iter().map(|(_, holding)| &holding.file)) {
            prop_assert!(held.held.get() > 0);
        }
        for past in copies.iter().flat_map(Table::files).filter(|file| file.held.get() > 0) {
            let holds = |(_, holding): (i32, &Holding)| Rc::ptr_eq(&holding.file, past);
            prop_assert!(copies.iter().any(|table| table.iter().any(holds)));
        }
        for table in copies {
            let all: Vec<(i32, Option<SockId>)> = (0..300)
                .filter_map(|fd| Some((fd, table.holding(fd)?.file.socket)))
                .collect();
            let seen: Vec<_> = table.iter().map(|(fd, holding)| (fd, holding.file.socket)).collect();
            prop_assert_eq!(&seen, &all);
            let sockets = all.iter().take(most).filter_map(|&(fd, socket)| Some((fd, socket?)));
            prop_assert_eq!(table.sockets_among(most).collect::<Vec<_>>(), sockets.collect::<Vec<_>>());
            for wanted in (0..7).map(SockId) {
                let lowest = all.iter().find(|(_, socket)| *socket == Some(wanted)).map(|(fd, _)| *fd);
                prop_assert_eq!(table.find(wanted), lowest);
            }
        }
    }
}
