//! From addresses to names.

use super::elf::{Debug, Files};
use super::maps::Maps;
use crate::event::ProcKey;
use crate::report::{Frame, Language};
use blazesym::symbolize::source::{Elf, Source};
use blazesym::symbolize::{CodeInfo, Input, Sym, Symbolized, Symbolizer};
use framehop::FrameAddress;

/// Knows the names in files. What it has read it keeps.
#[derive(Default)]
pub(super) struct Names {
    symbolizer: Option<Symbolizer>,
}

impl Names {
    /// The frames of these addresses. An address in a function that was inlined has one frame for each.
    pub(super) fn of(
        &mut self,
        files: &mut Files,
        (process, maps): (ProcKey, Option<&Maps>),
        addresses: &[FrameAddress],
    ) -> Vec<Frame> {
        addresses.iter().flat_map(|address| self.frames(files, process, maps, *address)).collect()
    }

    fn frames(
        &mut self,
        files: &mut Files,
        process: ProcKey,
        maps: Option<&Maps>,
        address: FrameAddress,
    ) -> Vec<Frame> {
        // A call may be its function's last instruction: where it returns to is another function then.
        let looked_up = address.address_for_lookup();
        let back = address.address().wrapping_sub(looked_up);
        let unknown = Frame::unknown(Language::Native);
        let Some(region) = maps.and_then(|maps| maps.find(looked_up)) else {
            return vec![Frame { address: Some(address.address()), ..unknown }];
        };
        let Some(path) = region.path.as_deref() else {
            return vec![Frame { address: Some(address.address()), ..unknown }];
        };
        let in_module = Frame { module: Some(path.to_owned()), ..unknown };
        let elf = files.of(process, region);
        let in_file = looked_up - region.start + region.offset;
        let Some(elf) = elf else {
            let offset = Some(in_file.wrapping_add(back));
            return vec![Frame { offset, ..in_module }];
        };
        let symbolizer = self.symbolizer.get_or_insert_with(Symbolizer::new);
        let wanted = elf.bias(region).map(|bias| looked_up.wrapping_sub(bias));
        let ask = |path, debug_syms, input| {
            let source = Source::Elf(Elf { debug_syms, ..Elf::new(path) });
            let answer = symbolizer.symbolize_single(&source, input).ok();
            answer.and_then(Symbolized::into_sym)
        };
        let informed = match (&elf.debug, wanted) {
            (Debug::Own, _) => ask(elf.path(), true, Input::FileOffset(in_file)),
            (Debug::Elsewhere(Some(path)), Some(wanted)) => {
                ask(path.clone(), true, Input::VirtOffset(wanted))
            }
            (Debug::Elsewhere(_), _) => None,
        };
        // Where the debug information cannot be read, the table of symbols still may.
        match informed.or_else(|| ask(elf.path(), false, Input::FileOffset(in_file))) {
            Some(sym) => named(&sym, &in_module, back),
            None => {
                let offset = wanted.unwrap_or(in_file);
                vec![Frame { offset: Some(offset.wrapping_add(back)), ..in_module }]
            }
        }
    }
}

/// The frames of one address, innermost first.
fn named(sym: &Sym<'_>, in_module: &Frame, back: u64) -> Vec<Frame> {
    let inlined = sym.inlined.iter().rev().map(|inlined| Frame {
        function: Some(inlined.name.to_string()),
        ..placed(in_module.clone(), inlined.code_info.as_ref())
    });
    let own = Frame {
        function: Some(sym.name.to_string()),
        offset: Some((sym.offset as u64).wrapping_add(back)),
        ..placed(in_module.clone(), sym.code_info.as_deref())
    };
    inlined.chain([own]).collect()
}

fn placed(frame: Frame, code: Option<&CodeInfo<'_>>) -> Frame {
    let file = code.map(|code| code.to_path().to_string_lossy().into_owned());
    Frame { file, line: code.and_then(|code| code.line), ..frame }
}
