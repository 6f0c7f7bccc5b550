//! Coded numbers are what a list of them is.

use super::*;
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    Push(u32),
    Remove(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let id = prop_oneof![4 => 0..9_u32, 1 => 0..5000_u32, 1 => any::<u32>()];
    prop_oneof![
        3 => id.prop_map(Step::Push),
        2 => (0..8_usize).prop_map(Step::Remove),
    ]
}

proptest! {
    #[test]
    fn they_are_what_a_list_is(steps in prop::collection::vec(step(), 1..100)) {
        let (mut coded, mut list) = (Coded::default(), Vec::<(u32, Mark)>::new());
        let mut last = 0_u32;
        for step in steps {
            match step {
                Step::Push(on) => {
                    last = last.wrapping_add(on);
                    let mark = Mark::new(last as usize % 8);
                    coded.push(last, mark);
                    list.push((last, mark));
                }
                Step::Remove(place) => {
                    let is = |id: u32, mark: Mark| id.is_multiple_of(2) && mark.place() == place;
                    let found = list.iter().position(|&(id, mark)| is(id, mark));
                    prop_assert_eq!(coded.remove(is), found.map(|found| list.remove(found)));
                }
            }
            prop_assert_eq!(coded.iter().collect::<Vec<_>>(), list.clone());
        }
    }
}

#[test]
fn marks_keep_places_and_ends_apart() {
    let mark = Mark::new(63).ended(Direction::Sent);
    assert_eq!((mark.place(), mark.has_ended(Direction::Sent), mark.is_over()), (63, true, false));
    let mark = mark.at(5).ended(Direction::Received);
    assert_eq!((mark.place(), mark.is_over()), (5, true));
}

#[test]
fn streams_of_one_client_need_two_bytes_each() {
    let mut coded = Coded::default();
    (0..32).for_each(|number| coded.push(2 * number + 1, Mark::new(0)));
    assert_eq!(coded.bytes.len(), 64);
}
