//! One cause, one finding: which of several rules names it, and what it keeps of the others.

use super::{ANSWER, C, Kernel, P, QUERY, failed, session};
use crate::model::SockId;
use crate::protocol::User;
use crate::report::{
    Confidence::{self, Certain, Likely},
    Finding, RuleId, Severity,
};
use crate::rules::{Cause, Claim, Draft, Says};
use forkscope_proto::calls;

/// The finding that is no information.
fn found(kernel: &Kernel) -> &Finding {
    kernel.findings();
    let mut told = kernel.analysis.findings().iter().filter(|finding| finding.severity > Severity::Info);
    told.next().expect("something was found")
}

/// What a user has been shown since the last time, by rule.
fn shown(kernel: &mut Kernel) -> Vec<&'static str> {
    let fresh = kernel.analysis.take_fresh();
    fresh.iter().filter(|finding| finding.severity > Severity::Info).map(|f| f.rule.name()).collect()
}

/// Parent and child have taken turns on one session.
fn turns() -> (Kernel, i32) {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.fork(P, C, 0);
    for who in [C, P] {
        kernel.send(who, fd, QUERY);
        kernel.receive(who, fd, ANSWER);
    }
    assert_eq!(shown(&mut kernel), ["shared-stream"]);
    (kernel, fd)
}

#[test]
fn a_stolen_reply_says_more_than_turns() {
    let (mut kernel, fd) = turns();
    let (id, first_seen) = (found(&kernel).id, found(&kernel).first_seen);
    kernel.send(P, fd, QUERY);
    kernel.receive(C, fd, ANSWER);
    assert_eq!(kernel.findings(), [("stolen-reply", C, Some(fd))]);
    let finding = found(&kernel);
    assert_eq!((finding.id, finding.first_seen), (id, first_seen));
    assert!(finding.count > 1 && finding.last_seen > first_seen, "{finding:#?}");
    let told: Vec<&str> = finding.evidence.iter().map(|step| step.what.as_str()).collect();
    assert!(told.iter().any(|what| what.contains("read the answer")), "{told:#?}");
    assert!(told.iter().any(|what| what.starts_with("opened the PostgreSQL connection")), "{told:#?}");
    assert!(finding.evidence.is_sorted_by_key(|step| (step.time * 1e9) as u64), "{told:#?}");
    assert_eq!(shown(&mut kernel), ["stolen-reply"]);
    for who in [P, C, P] {
        kernel.send(who, fd, QUERY);
        kernel.receive(who, fd, ANSWER);
    }
    assert_eq!(shown(&mut kernel), [""; 0], "turns again are nothing new");
    assert_eq!(found(&kernel).rule, RuleId::StolenReply);
}

#[test]
fn an_end_under_its_user_says_more_than_turns() {
    let (mut kernel, fd) = turns();
    kernel.send(C, fd, b"X\0\0\0\x04");
    kernel.close(C, fd);
    kernel.transfer(P, calls::SENDTO, fd, QUERY, failed(libc::EPIPE));
    assert_eq!(kernel.findings(), [("foreign-goodbye", P, Some(fd))]);
    assert_eq!(found(&kernel).errno.as_deref(), Some("EPIPE"));
    assert!(found(&kernel).evidence.iter().any(|step| step.what.contains("sent Terminate")));
    assert_eq!(shown(&mut kernel), ["foreign-goodbye"]);
}

#[test]
fn a_message_in_a_message_says_more_than_a_stolen_reply() {
    let (mut kernel, fd) = turns();
    kernel.send(P, fd, QUERY);
    kernel.receive(C, fd, ANSWER);
    kernel.send(P, fd, &QUERY[..7]);
    kernel.send(C, fd, QUERY);
    let finding = found(&kernel);
    assert_eq!(finding.rule, RuleId::SharedStream);
    assert!(finding.title.contains("wrote into a message of"), "{}", finding.title);
    assert!(finding.evidence.iter().any(|step| step.what.contains("read the answer")), "{finding:#?}");
    assert_eq!(shown(&mut kernel), ["shared-stream"], "once, and no more as a stolen reply");
}

#[test]
fn a_number_that_something_took_says_more_than_one_that_is_free() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 1);
    kernel.fork(P, C, 0);
    kernel.close(C, fd);
    kernel.transfer(C, calls::SENDMSG, fd, b"", failed(libc::EBADF));
    assert_eq!(kernel.findings(), [("stale-descriptor", C, Some(fd))]);
    kernel.open(C, "/dev/null");
    kernel.transfer(C, calls::SENDMSG, fd, b"", failed(libc::ENOTSOCK));
    assert_eq!(kernel.findings(), [("enotsock", C, Some(fd))]);
    let results: Vec<_> = found(&kernel).evidence.iter().filter_map(|step| step.result.as_deref()).collect();
    assert!(results.contains(&"-1 EBADF") && results.ends_with(&["-1 ENOTSOCK"]), "{results:?}");
}

/// A draft of a rule on one connection.
fn draft(rule: RuleId, severity: Severity, confidence: Confidence, says: Says) -> Draft {
    Draft {
        claim: Claim { rule, severity, confidence, says, cause: Cause::Sharing(SockId(1)) },
        title: rule.name().to_owned(),
        summary: String::new(),
        process: User(0).into(),
        others: Vec::new(),
        fd: None,
        socket: None,
        nr: None,
        errno: None,
        time: 0,
        steps: Vec::new(),
    }
}

#[test]
fn the_worst_the_surest_and_what_says_most_in_this_order() {
    use RuleId::{ForeignGoodbye, SharedStream, StolenReply};
    use Severity::{Error, Warning};
    let turns = |severity, confidence| draft(SharedStream, severity, confidence, Says::Possible);
    let stolen = |confidence| draft(StolenReply, Error, confidence, Says::Astray);
    let ended = |confidence| draft(ForeignGoodbye, Error, confidence, Says::Lost);
    // Drafts in order; who names the finding in the end, how sure, and by which names it was shown.
    for (drafts, name, sure, names) in [
        (vec![turns(Warning, Certain), ended(Likely)], ForeignGoodbye, Likely, 2),
        (vec![ended(Likely), turns(Warning, Certain)], ForeignGoodbye, Likely, 1),
        (vec![turns(Error, Certain), stolen(Likely)], SharedStream, Certain, 1),
        (vec![stolen(Likely), turns(Error, Certain)], SharedStream, Certain, 2),
        (vec![stolen(Certain), ended(Certain), stolen(Certain)], StolenReply, Certain, 1),
        (vec![ended(Certain), stolen(Certain), ended(Certain)], StolenReply, Certain, 2),
        // The same, but surer, is no news.
        (vec![turns(Error, Likely), turns(Error, Certain)], SharedStream, Certain, 1),
        // Nor is a name that was shown before.
        (vec![turns(Error, Likely), stolen(Likely), turns(Error, Certain)], SharedStream, Certain, 2),
    ] {
        let (mut kernel, count) = (Kernel::new(), drafts.len() as u64);
        let mut seen = 0;
        for draft in drafts {
            kernel.analysis.publish(draft);
            seen += kernel.analysis.take_fresh().len();
        }
        let [finding] = kernel.analysis.findings() else { panic!("one cause, one finding") };
        assert_eq!((finding.rule, finding.confidence, seen, finding.count), (name, sure, names, count));
        assert!(!finding.fix.is_empty());
    }
}
