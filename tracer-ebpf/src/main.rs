//! forkscope's kernel side.
//!
//! Two programs on the tracepoints of system calls, three on the life of tasks, two on socket transfers that
//! no system call shows; where users ask for it, some on functions of OpenSSL. Each asks first whether the
//! process is traced (one byte in an array), and leaves at once when it is not. What is traced is decided
//! here, in the kernel: a new child is traced before it runs. The two on system calls are there twice, for
//! two ways to read the kernel's structures (`kernel.rs`).
#![no_std]
#![no_main]

mod call;
mod displaced;
mod enter;
mod exit;
mod file;
mod kernel;
mod life;
mod mapped;
mod maps;
mod openssl;
mod passed;
mod payload;
mod pending;
mod program;
mod ring;
mod routine;
mod settings;
mod socket;
mod stack;
mod stop;
mod traced;
mod transfer;
mod uring;
mod words;
