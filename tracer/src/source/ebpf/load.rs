//! Loading and attaching the programs.

use super::abridged::abridged;
use super::btf::Btf;
use super::casts::Casts;
use super::filter::Filter;
use super::offsets::{file_count, offsets};
use super::openssl::{self, Openssl};
use super::ring::Ring;
use super::stopped::Stopped;
use super::uring::Uring;
use super::{EbpfError, EbpfSource};
use crate::source::proc;
use aya::maps::{Map, PerCpuArray};
use aya::programs::{BtfTracePoint, ProgramError, RawTracePoint};
use aya::{Ebpf, EbpfLoader, Endianness};
use forkscope_proto::Config;
use nix::errno::Errno;
use zerocopy::IntoBytes;

/// The compiled kernel side.
pub(super) static OBJECT: &[u8] = aya::include_bytes_aligned!(env!("FORKSCOPE_EBPF_OBJECT"));

/// The programs on system calls, with their tracepoint: first the one that follows the kernel's pointers
/// itself, then the one that has helpers do so, for kernels before Linux 5.11.
const CALLS: [[&str; 3]; 2] = [
    ["forkscope_enter", "forkscope_enter_probing", "sys_enter"],
    ["forkscope_exit", "forkscope_exit_probing", "sys_exit"],
];

/// The programs on the life of tasks, and their tracepoints.
const LIFE: [(&str, &str); 3] = [
    ("forkscope_fork", "task_newtask"),
    ("forkscope_exec", "sched_process_exec"),
    ("forkscope_task_exit", "sched_process_exit"),
];

/// The most threads that are in a call of OpenSSL at once.
const MOST_IN_OPENSSL: u32 = 32_768;

/// How to trace.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Trace every process of the machine.
    pub everything: bool,
    /// Payload bytes to take of each transfer.
    pub capture: u32,
    /// Size of the ring in bytes; rounded up to a power of two.
    pub ring: u32,
    /// Stop processes at failing calls that may be a finding; see [`EbpfSource::guard`].
    pub stops: bool,
    /// Take what programs hand to OpenSSL.
    pub plaintext: bool,
    /// Take user stacks at forks, connects and failing calls.
    pub stacks: bool,
    /// Have a record also of calls that say nothing new ([`forkscope_proto::arguments::is_routine`],
    /// [`forkscope_proto::arguments::may_wake_itself`]).
    pub every_call: bool,
    /// Have the kernel count the programs' run time, which costs a little.
    pub count_cost: bool,
    /// How to read the kernel's structures, where the kernel has that; else the next that needs less of it.
    pub access: Access,
}

/// How the programs on system calls read the kernel's structures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Helpers read them.
    Probing,
    /// Pointers whose types the verifier knows are followed without one (Linux 5.11).
    Typed,
    /// Addresses without a type are followed, too, cast to the structure that they are known
    /// to point to (Linux 6.2).
    #[default]
    Casting,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            everything: false,
            capture: 256,
            ring: 16 << 20,
            stops: false,
            plaintext: false,
            stacks: false,
            every_call: false,
            count_cost: false,
            access: Access::default(),
        }
    }
}

pub(super) fn start(settings: &Settings) -> Result<EbpfSource, EbpfError> {
    refuse_pid_namespace()?;
    let types = Btf::of_kernel()?;
    let mut programs = load(settings, &types)?;
    for (name, _) in LIFE {
        program(&mut programs, name).and_then(RawTracePoint::load).map_err(|error| explain(name, error))?;
    }
    // Where they are refused for want of privileges, so will the others be, and that is said.
    let typed = settings.access != Access::Probing && load_typed(&mut programs, &types).is_some();
    if !typed {
        for [_, name, _] in CALLS {
            program(&mut programs, name)
                .and_then(RawTracePoint::load)
                .map_err(|error| explain(name, error))?;
        }
    }
    let uring = Uring::load(&mut programs, &types)?;
    if settings.plaintext {
        openssl::load(&mut programs)?;
    }
    // From here on descriptors of maps may be closed: what is loaded later would get
    // others under their numbers.
    let lost =
        PerCpuArray::try_from(take(&mut programs, "LOST")?).map_err(|e| EbpfError::refused("map", e))?;
    let wrong = |name| EbpfError::refused(name, std::io::Error::from(std::io::ErrorKind::InvalidData));
    let events = match take(&mut programs, "EVENTS")? {
        Map::RingBuf(data) => Ring::of(&data).map_err(|error| EbpfError::refused("ring", error))?,
        _ => return Err(wrong("map EVENTS")),
    };
    let filter = match take(&mut programs, "FILTER")? {
        Map::Array(data) => Filter::of(&data)?,
        _ => return Err(wrong("map FILTER")),
    };
    let stopped = match take(&mut programs, "STOPPED")? {
        Map::HashMap(data) => Stopped::of(data).map_err(|error| EbpfError::refused("map", error))?,
        _ => return Err(wrong("map STOPPED")),
    };
    let counting =
        settings.count_cost.then(|| aya::sys::enable_stats(aya::sys::Stats::RunTime).ok()).flatten();
    for (name, tracepoint) in LIFE {
        let attached = program(&mut programs, name).and_then(|program| program.attach(tracepoint));
        attached.map_err(|error| explain(name, error))?;
    }
    for [followed, probed, tracepoint] in CALLS {
        let attached = if typed {
            typed_program(&mut programs, followed).and_then(|program| program.attach().map(drop))
        } else {
            program(&mut programs, probed).and_then(|program| program.attach(tracepoint).map(drop))
        };
        attached.map_err(|error| explain(tracepoint, error))?;
    }
    let openssl = settings.plaintext.then(|| Openssl::start(&mut programs, settings.everything));
    let (programs, notes) = (Some(programs), Vec::new());
    Ok(EbpfSource { events, filter, lost, programs, stopped, uring, notes, openssl, _counting: counting })
}

fn load(settings: &Settings, types: &Btf) -> Result<Ebpf, EbpfError> {
    let offsets = offsets(types)?;
    let casts = if settings.access == Access::Casting { Casts::of(types) } else { Casts::default() };
    let ring = settings.ring.next_power_of_two();
    let config = Config {
        own_tgid: std::process::id(),
        everything: settings.everything.into(),
        capture: settings.capture.min(Config::MOST_CAPTURE as u32),
        wake_at: ring / 4,
        stops: match settings.stops {
            false => 0,
            true if proc::may_signal_all() => Config::STOPS_ALL,
            true => Config::STOPS_OWN,
        },
        own_uid: nix::unistd::getuid().as_raw(),
        plaintext: settings.plaintext.into(),
        stacks: settings.stacks.into(),
        one_reference: file_count(types)?.1,
        every_call: settings.every_call.into(),
    };
    EbpfLoader::new()
        .btf(None)
        .override_global("OFFSETS", offsets.as_bytes(), true)
        .override_global("TYPES", casts.types.as_bytes(), true)
        .override_global("CONFIG", config.as_bytes(), true)
        .map_max_entries("EVENTS", ring)
        .map_max_entries("IN_OPENSSL", if settings.plaintext { MOST_IN_OPENSSL } else { 1 })
        .load(casts.written_into(OBJECT).as_bytes())
        .map_err(|error| match error {
            aya::EbpfError::MapError(aya::maps::MapError::CreateError { ref io_error, ref name, .. }) => {
                map_refused(name, io_error).unwrap_or_else(|| EbpfError::refused("maps", error))
            }
            error => EbpfError::refused("programs", error),
        })
}

/// What it means that the kernel did not create a map, where that is known.
fn map_refused(name: &str, error: &std::io::Error) -> Option<EbpfError> {
    if is(error, Errno::EPERM) {
        Some(EbpfError::NoPrivilege)
    } else if name == "EVENTS" && is(error, Errno::EINVAL) {
        Some(EbpfError::NoRingBuffer)
    } else {
        None
    }
}

/// Loads the programs on system calls that follow the kernel's pointers themselves; `None`:
/// this kernel refuses them.
fn load_typed(programs: &mut Ebpf, types: &Btf) -> Option<()> {
    let types = abridged(types, &CALLS.map(|[.., tracepoint]| tracepoint))?;
    let types = aya::Btf::parse(&types, Endianness::default()).ok()?;
    CALLS.iter().try_for_each(|&[name, _, tracepoint]| {
        typed_program(programs, name).and_then(|program| program.load(tracepoint, &types)).ok()
    })
}

fn typed_program<'a>(programs: &'a mut Ebpf, name: &str) -> Result<&'a mut BtfTracePoint, ProgramError> {
    programs.program_mut(name).ok_or(ProgramError::NotLoaded)?.try_into()
}

pub(super) fn program<'a>(programs: &'a mut Ebpf, name: &str) -> Result<&'a mut RawTracePoint, ProgramError> {
    programs.program_mut(name).ok_or(ProgramError::NotLoaded)?.try_into()
}

pub(super) fn explain(name: &str, error: ProgramError) -> EbpfError {
    match &error {
        ProgramError::LoadError { io_error, .. } if is(io_error, Errno::EPERM) => EbpfError::NoPrivilege,
        _ => EbpfError::refused(&format!("program {name}"), error),
    }
}

fn is(error: &std::io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno as i32)
}

fn take(programs: &mut Ebpf, name: &str) -> Result<Map, EbpfError> {
    let missing = || EbpfError::refused(name, std::io::Error::from(std::io::ErrorKind::NotFound));
    programs.take_map(name).ok_or_else(missing)
}

/// The kernel side sees the numbers of the first pid namespace only.
fn refuse_pid_namespace() -> Result<(), EbpfError> {
    /// `PROC_PID_INIT_INO` (include/linux/proc_ns.h).
    const FIRST: &str = "pid:[4026531836]";
    match std::fs::read_link("/proc/self/ns/pid") {
        Ok(link) if link.as_os_str() != FIRST => Err(EbpfError::PidNamespace),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_map_is_explained() {
        let said = |name, errno: Errno| map_refused(name, &errno.into()).map(|error| error.to_string());
        assert!(said("EVENTS", Errno::EINVAL).is_some_and(|text| text.contains("Linux 5.8")));
        assert!(said("LOST", Errno::EPERM).is_some_and(|text| text.contains("root")));
        assert_eq!(said("LOST", Errno::EINVAL), None);
    }
}
