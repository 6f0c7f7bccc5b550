//! Says which compiled kernel object is embedded: the kept one, or a freshly built one for its tests.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-env-changed=FORKSCOPE_EBPF_OBJECT");
    let here = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let kept = Path::new(&here).join("../tracer-ebpf/forkscope-ebpf.o");
    let object = env::var("FORKSCOPE_EBPF_OBJECT").unwrap_or_else(|_| kept.display().to_string());
    println!("cargo::rerun-if-changed={object}");
    println!("cargo::rustc-env=FORKSCOPE_EBPF_OBJECT={object}");
}
