//! From registers and stack bytes to addresses.
//!
//! By the unwind tables of the files (`.eh_frame`), which compilers write for x86-64 whether or not they keep
//! frame pointers; where a file has none, along frame pointers.

use super::elf::{Elf, Files};
use super::maps::{Maps, Region};
use crate::event::ProcKey;
use crate::report::stack::MOST_FRAMES;
use framehop::x86_64::{CacheX86_64, UnwindRegsX86_64, UnwinderX86_64};
use framehop::{ExplicitModuleSectionInfo, FrameAddress, Module, Unwinder as _};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The addresses of a stack, innermost first. All but the first are where a call returns to.
pub(super) fn walk(
    files: &mut Files,
    (process, maps): (ProcKey, Option<&Maps>),
    [ip, sp, bp]: [u64; 3],
    bytes: &[u8],
) -> Vec<FrameAddress> {
    let first = FrameAddress::from_instruction_pointer(ip);
    let Some(maps) = maps else { return vec![first] };
    let (words, _) = bytes.as_chunks::<8>();
    let words: Vec<u64> = words.iter().map(|word| u64::from_ne_bytes(*word)).collect();
    let mut unwinder = UnwinderX86_64::<Rc<[u8]>>::new();
    // Whatever it returns to, the stack has.
    let regions: BTreeMap<u64, &Region> = std::iter::once(&ip)
        .chain(&words)
        .filter_map(|&word| maps.find(word))
        .map(|region| (region.start, region))
        .collect();
    for region in regions.into_values() {
        if let Some(elf) = files.of(process, region)
            && let Some(bias) = elf.bias(region)
        {
            unwinder.add_module(module(region, &elf, bias));
        }
    }
    let mut cache = CacheX86_64::<_>::new();
    let mut read = |address: u64| {
        let at = address.checked_sub(sp).filter(|distance| distance % 8 == 0).ok_or(())?;
        usize::try_from(at / 8).ok().and_then(|at| words.get(at)).copied().ok_or(())
    };
    let mut steps = unwinder.iter_frames(ip, UnwindRegsX86_64::new(ip, sp, bp), &mut cache, &mut read);
    let mut addresses = Vec::new();
    while addresses.len() < MOST_FRAMES
        && let Ok(Some(address)) = steps.next()
    {
        // What is no code is no frame: the walk has lost its way.
        if !addresses.is_empty() && maps.find(address.address_for_lookup()).is_none() {
            break;
        }
        addresses.push(address);
    }
    addresses
}

fn module(region: &Region, elf: &Rc<Elf>, bias: u64) -> Module<Rc<[u8]>> {
    let tables = &elf.tables;
    let (eh_frame_svma, eh_frame) = tables.eh_frame.clone().unzip();
    let (eh_frame_hdr_svma, eh_frame_hdr) = tables.eh_frame_hdr.clone().unzip();
    let info = ExplicitModuleSectionInfo {
        base_svma: 0,
        text_svma: tables.text.clone(),
        got_svma: tables.got.clone(),
        eh_frame_svma,
        eh_frame,
        eh_frame_hdr_svma,
        eh_frame_hdr,
        ..ExplicitModuleSectionInfo::default()
    };
    Module::new(String::new(), region.start..region.end, bias, info)
}
