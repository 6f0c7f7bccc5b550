//! End-to-end tests: real programs, real servers on 127.0.0.1, the real kernel.
//!
//! They need root, and what `setup.sh` installs. Where that is not to be had they say so and pass; with
//! `CI=true` they fail.

mod allocations;
mod bad_input;
mod baseline;
mod before_exec;
mod brokers;
mod cases_db;
mod cases_grpc;
mod cases_grpc_children;
mod cases_http2;
mod cases_mysql;
mod cases_sessions;
mod check;
mod commands;
mod containers;
mod corpus;
mod databases;
mod displaced;
mod env;
mod filtered;
mod healthy;
mod healthy_servers;
mod healthy_workers;
mod http2_wire;
mod inspect;
mod kept_open;
mod kernel_access;
mod kernel_news;
mod killed;
mod live_screen;
mod plaintext;
mod process;
mod program_pane;
mod program_tty;
mod ptrace_alike;
mod ptrace_ends;
mod ptrace_lean;
mod ptrace_limits;
mod ptrace_ordeals;
mod pty_terminal;
mod recordings;
mod run;
mod servers;
mod shared_epoll;
mod shared_wakeup;
mod stacks;
mod stalled;
mod stops;
mod storm;
mod strace;
mod terminal;
mod truth;
mod ways;
mod webservers;
