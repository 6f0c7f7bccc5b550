//! Where and with what it was measured.

use super::figures::Machine;
use super::tools::Tools;
use crate::command::probe;
use std::fs;

/// What is known of this machine.
pub(super) fn look(tools: &Tools) -> Machine {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let forkscope = tools.forkscope();
    let versions: [(&str, &[&str]); 9] = [
        (&forkscope, &["--version"]),
        ("strace", &["--version"]),
        ("perf", &["--version"]),
        ("bpftrace", &["--version"]),
        ("redis-server", &["--version"]),
        ("valgrind", &["--version"]),
        ("rustc", &["--version"]),
        ("find", &["--version"]),
        (
            &super::servers::python(),
            &[
                "-c",
                "import grpc, sys; print('Python', sys.version.split()[0] + ', grpcio', grpc.__version__)",
            ],
        ),
    ];
    let first =
        |(program, arguments): (&str, &[&str])| Some(probe(program, arguments)?.lines().next()?.to_owned());
    Machine {
        processor: processor.trim_start_matches([' ', '\t', ':']).to_owned(),
        processors: std::thread::available_parallelism().map_or(0, usize::from),
        memory_gb: memory_gb(&fs::read_to_string("/proc/meminfo").unwrap_or_default()),
        kernel: probe("uname", &["-sr"]).unwrap_or_default(),
        versions: versions.into_iter().filter_map(first).collect(),
    }
}

/// `MemTotal` in kB, as GB.
fn memory_gb(meminfo: &str) -> u64 {
    let kilobytes = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok());
    kilobytes.map_or(0, |kilobytes: u64| kilobytes.div_ceil(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::memory_gb;

    #[test]
    fn memory_is_read() {
        assert_eq!(memory_gb("MemTotal:       24619008 kB\nMemFree: 1 kB\n"), 24);
        assert_eq!(memory_gb(""), 0);
    }
}
