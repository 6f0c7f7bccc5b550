//! What children do on their parent's connections before they execute a program.

use super::{C, Kernel, P, TERMINATE, ask, session};
use crate::model::Facts;
use crate::report::Severity;
use forkscope_proto::process::{CLONE_VFORK, CLONE_VM};

/// What `subprocess` does: its child asks, closes what it inherited, and executes a program.
fn asks_and_executes(kernel: &mut Kernel, fd: i32) {
    kernel.fork(P, C, 0);
    ask(kernel, C, fd);
    kernel.close(C, fd);
    kernel.exec(C);
}

fn severity(kernel: &Kernel) -> Severity {
    kernel.analysis.findings().last().expect("found").severity
}

#[test]
fn a_child_that_asks_on_its_parent_s_session_and_executes() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    ask(&mut kernel, P, fd);
    asks_and_executes(&mut kernel, fd);
    assert_eq!(kernel.findings(), [("pre-exec-io", P, Some(fd))]);
    assert_eq!(severity(&kernel), Severity::Warning, "the parent may never use it again");
    ask(&mut kernel, P, fd);
    assert_eq!(kernel.findings(), [("pre-exec-io", P, Some(fd))]);
    assert_eq!(severity(&kernel), Severity::Error);
    let finding = kernel.analysis.findings().last().expect("found");
    assert_eq!(finding.other_pids, [C]);
    let steps: Vec<_> = finding.evidence.iter().map(|step| step.what.as_str()).collect();
    let executed = steps.iter().position(|what| what.starts_with("executed program")).expect("the exec");
    assert!(steps[executed - 1].starts_with("200 sent"), "{steps:?}");
    assert!(steps[executed + 1].starts_with("100 sent"), "{steps:?}");
}

/// Who ends soon after the fork is known by its command line only: /proc is asked too late. Its child may
/// have been looked up, but is another program by then.
#[test]
fn advice_for_a_program_of_which_nothing_was_looked_up() {
    let python = ["/usr/bin/python3", "load.py"];
    for (words, child, is_python) in [
        (python, None, true),
        (python, Some("/bin/sleep"), true),
        (["/opt/python/bin/node", "load.js"], None, false),
        (["/opt/node/bin/node", "load.js"], Some("/usr/bin/python3"), false),
    ] {
        let mut kernel = Kernel::new();
        kernel.exec_as(P, "load", &words);
        let fd = session(&mut kernel);
        asks_and_executes(&mut kernel, fd);
        if let Some(exe) = child {
            kernel.analysis.learn(C, Facts { exe: Some(exe.to_owned()), ..Facts::default() });
        }
        kernel.exit(P);
        let fresh = kernel.analysis.take_fresh();
        let finding = fresh.iter().find(|finding| finding.rule.name() == "pre-exec-io").expect("found");
        let names = finding.fix.iter().any(|fix| fix.text.contains("preexec_fn"));
        assert_eq!(names, is_python, "{words:?}: {:#?}", finding.fix);
    }
}

/// The parent did not wait for the exec.
#[test]
fn a_parent_that_went_on_meanwhile() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.fork(P, C, 0);
    ask(&mut kernel, C, fd);
    ask(&mut kernel, P, fd);
    assert_eq!(kernel.findings(), [("shared-stream", P, Some(fd))], "whether it will execute is not known");
    kernel.exec(C);
    assert_eq!(kernel.findings().len(), 1, "one cause");
    let finding = kernel.analysis.findings().last().expect("found");
    assert!(finding.evidence.iter().any(|step| step.what.starts_with("executed program")));
}

/// What a child does between fork and exec, and its parent after it, that disturbs nobody.
#[test]
fn healthy_children() {
    for (name, story) in [
        (
            "only executes",
            (|kernel: &mut Kernel, fd| {
                kernel.fork(P, C, 0);
                kernel.exec(C);
                ask(kernel, P, fd);
            }) as fn(&mut Kernel, i32),
        ),
        ("uses it after the exec only: another rule's", |kernel, fd| {
            kernel.fork(P, C, 0);
            kernel.exec(C);
            ask(kernel, C, fd);
        }),
        ("is handed it, greets, and executes what goes on", |kernel, fd| {
            kernel.fork(P, C, 0);
            ask(kernel, C, fd);
            kernel.exec(C);
            ask(kernel, C, fd);
            kernel.close(P, fd);
        }),
        ("its parent has closed it", |kernel, fd| {
            kernel.fork(P, C, 0);
            kernel.close(P, fd);
            ask(kernel, C, fd);
            kernel.close(C, fd);
            kernel.exec(C);
        }),
        ("its parent has ended", |kernel, fd| {
            kernel.fork(P, C, 0);
            kernel.exit(P);
            ask(kernel, C, fd);
            kernel.close(C, fd);
            kernel.exec(C);
        }),
        ("says goodbye, and its parent never uses it again", |kernel, fd| {
            kernel.fork(P, C, 0);
            kernel.send(C, fd, TERMINATE);
            kernel.close(C, fd);
            kernel.exec(C);
        }),
        ("its parent says goodbye before it executes", |kernel, fd| {
            kernel.fork(P, C, 0);
            ask(kernel, C, fd);
            kernel.send(P, fd, TERMINATE);
            kernel.close(C, fd);
            kernel.exec(C);
        }),
        ("has a connection of its own", |kernel, _| {
            kernel.fork(P, C, 0);
            let own = kernel.connect(C, 5432);
            ask(kernel, C, own);
            kernel.exec(C);
        }),
    ] {
        let mut kernel = Kernel::new();
        let fd = session(&mut kernel);
        story(&mut kernel, fd);
        assert_eq!(kernel.findings(), [], "{name}");
    }
}

/// A goodbye is not going on, whoever has said one before.
#[test]
fn a_parent_that_says_goodbye() {
    const OTHER: u32 = C + 1;
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    ask(&mut kernel, P, fd);
    asks_and_executes(&mut kernel, fd);
    kernel.fork(P, OTHER, 0);
    for process in [OTHER, P] {
        kernel.send(process, fd, TERMINATE);
        kernel.close(process, fd);
    }
    assert_eq!(kernel.findings(), [("pre-exec-io", P, Some(fd))]);
    assert_eq!(severity(&kernel), Severity::Warning, "it held the connection, and went on to end it only");
}

/// inetd, sshd, mail servers: the child greets the client, and executes the program that serves it.
#[test]
fn a_server_s_child_that_greets_and_executes() {
    for parent_closes in [true, false] {
        let mut kernel = Kernel::new();
        let fd = kernel.accept(P, 25);
        kernel.receive(P, fd, b"EHLO here\r\n");
        kernel.fork(P, C, 0);
        if parent_closes {
            kernel.close(P, fd);
        }
        kernel.send(C, fd, b"220 ready\r\n");
        kernel.exec(C);
        kernel.receive(C, fd, b"MAIL\r\n");
        kernel.send(C, fd, b"250 ok\r\n");
        assert_eq!(kernel.findings(), []);
    }
}

/// A log that nobody answers, and a protocol that forkscope does not know: nothing
/// shows that a state was lost.
#[test]
fn a_log_line_before_the_exec() {
    for answered in [false, true] {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 601);
        let log = |kernel: &mut Kernel, pid| {
            kernel.send(pid, fd, b"<34>1 - - something happened\n");
            if answered {
                kernel.receive(pid, fd, b"thanks\n");
            }
        };
        log(&mut kernel, P);
        kernel.fork(P, C, 0);
        log(&mut kernel, C);
        kernel.exec(C);
        log(&mut kernel, P);
        assert_eq!(kernel.findings(), [], "answered: {answered}");
    }
}

/// Each turn has its answer, by luck.
#[test]
fn http_1_is_a_warning() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 80);
    let get = |kernel: &mut Kernel, pid| {
        kernel.send(pid, fd, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        kernel.receive(pid, fd, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    };
    get(&mut kernel, P);
    kernel.fork(P, C, 0);
    get(&mut kernel, C);
    kernel.exec(C);
    assert_eq!(kernel.findings(), []);
    get(&mut kernel, P);
    assert_eq!(
        (kernel.findings(), severity(&kernel)),
        (vec![("pre-exec-io", P, Some(fd))], Severity::Warning)
    );
}

/// A program that is given the connection as its input has it on purpose.
#[test]
fn as_standard_input_it_is_a_warning() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.fork(P, C, 0);
    kernel.copy(C, fd, 0);
    ask(&mut kernel, C, 0);
    kernel.exec(C);
    assert_eq!(kernel.findings(), []);
    ask(&mut kernel, P, fd);
    assert_eq!(
        (kernel.findings(), severity(&kernel)),
        (vec![("pre-exec-io", P, Some(0))], Severity::Warning)
    );
}

/// A child of vfork(2) uses its parent's own state: the two do not drift apart, but it
/// may do nothing of the kind.
#[test]
fn a_child_in_its_parent_s_memory() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.fork(P, C, CLONE_VM | CLONE_VFORK);
    ask(&mut kernel, C, fd);
    kernel.close(C, fd);
    kernel.exec(C);
    for _ in 0..2 {
        assert_eq!(kernel.findings(), [("pre-exec-io", P, Some(fd))]);
        assert_eq!(severity(&kernel), Severity::Warning);
        ask(&mut kernel, P, fd);
    }
}

/// What was done before an earlier exec is over.
#[test]
fn only_the_first_program_counts() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.fork(P, C, 0);
    kernel.exec(C);
    ask(&mut kernel, C, fd);
    kernel.close(C, fd);
    kernel.exec(C);
    assert_eq!(kernel.findings(), []);
}
