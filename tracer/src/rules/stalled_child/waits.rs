//! Waits that no thread which crossed the fork will end, told apart from those of a child that is only idle.

use super::super::Step;
use super::super::history::{connection_of, made_step};
use crate::event::{GlancedThread, MOST_WATCHED, WaitsOn};
use crate::inspect;
use crate::model::{Epoll, Holding, Model, ProcId, SockId, Socket, Standing, Turn};
use forkscope_proto::{FileKind, calls};

/// Signals whose handlers end no wait: crashes (4 to 8, 11, 31), what Python and others catch to fail in a
/// call instead (SIGINT, SIGPIPE, SIGXFSZ), and glibc's own (32, 33) (signal(7)).
const NO_WAKERS: [u32; 12] = [2, 4, 5, 6, 7, 8, 11, 13, 25, 31, 32, 33];

/// What a thread of a child waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// A lock that says itself that a thread of the parent has it.
    ForOwner { address: u64, owner: u32, comm: String },
    /// Memory that no other process can wake, with no time-out, as all threads of the child do.
    ForNobody { address: u64 },
    /// The parent's own loop, on which the child watches nothing of its own.
    InLoop { fd: i32 },
    /// An answer that the parent reads.
    ForAnswer { fd: i32, socket: SockId, reader: u32 },
}

/// What a thread waits for, if nobody will end that wait. `None`: it may be idle.
pub(super) fn of(model: &Model, child: ProcId, standing: &Standing, thread: &GlancedThread) -> Option<Waits> {
    let call = thread.call?;
    if call.futex().is_some() {
        return futex(model, child, standing, thread);
    }
    // The kernel takes the lower half.
    let fd = call.args[0] as i32;
    match (u16::try_from(call.nr).ok()?, &thread.on) {
        (calls::EPOLL_WAIT | calls::EPOLL_PWAIT | calls::EPOLL_PWAIT2, WaitsOn::Epoll(Some(watched))) => {
            in_loop(model, child, standing.parent, fd, watched)
        }
        (
            calls::READ | calls::READV | calls::RECVFROM | calls::RECVMSG | calls::RECVMMSG | calls::PREADV2,
            _,
        ) => for_answer(model, child, standing.parent, fd),
        (_, WaitsOn::Poll(fds)) if inspect::polls(call.nr) && fds.len() <= MOST_WATCHED => {
            let answers: Option<Vec<Waits>> =
                fds.iter().map(|&fd| for_answer(model, child, standing.parent, fd)).collect();
            answers?.into_iter().next()
        }
        _ => None,
    }
}

fn futex(model: &Model, child: ProcId, standing: &Standing, thread: &GlancedThread) -> Option<Waits> {
    let wait = thread.call?.futex()?;
    // What lies in shared memory, the parent may wake: a worker that waits for work does so.
    let WaitsOn::Futex { owner, shared: Some(false) } = thread.on else { return None };
    let glance = standing.last()?;
    if let Some(owner) = owner {
        if glance.threads.iter().any(|thread| thread.tid == owner) {
            // It waits for itself: no fork did that.
            return None;
        }
        let elsewhere = model.process(child)?.place.as_ref().is_some_and(|place| place.ns_pid.is_some());
        let thread = standing.parent_threads.iter().find(|thread| thread.tid == owner);
        if let Some(thread) = thread.filter(|_| owner != standing.forker && !elsewhere) {
            return Some(Waits::ForOwner { address: wait.address, owner, comm: thread.comm.clone() });
        }
    }
    // A handler may wake the thread, and a wait with a time-out is how one sleeps.
    let no_wakers = NO_WAKERS.iter().fold(0_u64, |mask, signal| mask | 1 << (signal - 1));
    let alone = glance.caught & !no_wakers == 0;
    (alone && !wait.timed && standing.in_one_call(thread))
        .then_some(Waits::ForNobody { address: wait.address })
}

/// A wait on an epoll instance. It is the parent's loop where the parent has waited on it itself; the child
/// has nothing to wait for on it where all that it watches is the parent's: how its threads wake each
/// other, and its connections.
fn in_loop(
    model: &Model,
    child: ProcId,
    parent: ProcId,
    fd: i32,
    watched: &[(i32, Option<u64>)],
) -> Option<Waits> {
    let epoll = inherited(model, child, fd)?;
    let parents = |&(fd, inode): &(i32, Option<u64>)| {
        let Some(held) = inherited(model, child, fd) else { return false };
        let same = inode.is_none_or(|inode| inode == held.file.inode);
        let nobody_for_it = match held.file.kind {
            FileKind::Eventfd => true,
            FileKind::Socket => {
                held.file.socket.is_some_and(|socket| is_parents(model, child, parent, fd, socket))
            }
            _ => false,
        };
        same && nobody_for_it
    };
    let is_loop = model.epoll(epoll.file.id).is_some_and(Epoll::is_its_maker_s_loop);
    let is_parents = (1..=MOST_WATCHED).contains(&watched.len()) && watched.iter().all(parents);
    (is_loop && is_parents).then_some(Waits::InLoop { fd })
}

/// What a child has under a number through the fork.
fn inherited(model: &Model, child: ProcId, fd: i32) -> Option<&Holding> {
    let held = model.table(child)?.holding(fd)?;
    (held.origin().process != child && held.file.opened.process != child).then_some(held)
}

/// A connection that its parent made and has still, where the parent's threads know what comes on it.
fn parents_connection(model: &Model, parent: ProcId, fd: i32, id: SockId) -> Option<&Socket> {
    let socket = model.socket(id).filter(|socket| socket.is_connection() && !socket.accepted)?;
    model.holds_socket(parent, id, fd).then_some(socket)
}

/// Whether a connection is the parent's to use: the child never did, or what it asked
/// was answered to the parent.
fn is_parents(model: &Model, child: ProcId, parent: ProcId, fd: i32, id: SockId) -> bool {
    parents_connection(model, parent, fd, id).is_some_and(|socket| {
        socket.usage(child).is_none_or(|usage| usage.sent.0 == 0 && usage.received.0 == 0)
            || answered_to(socket, child, parent).is_some()
    })
}

/// The parent's turn in which it read after the child's last one, in which that only sent.
fn answered_to(socket: &Socket, child: ProcId, parent: ProcId) -> Option<&Turn> {
    let asked = socket.turns.iter().rev().find(|turn| turn.process == child)?;
    let reads = |turn: &&Turn| turn.process == parent && turn.received > 0 && turn.to > asked.to;
    (asked.sent > 0 && asked.received == 0).then(|| socket.turns.iter().rev().find(reads))?
}

/// A wait for an answer on a connection of the parent's.
fn for_answer(model: &Model, child: ProcId, parent: ProcId, fd: i32) -> Option<Waits> {
    let id = inherited(model, child, fd)?.file.socket?;
    let turn = answered_to(parents_connection(model, parent, fd, id)?, child, parent)?;
    Some(Waits::ForAnswer { fd, socket: id, reader: turn.tid })
}

/// A connection of the parent's on which the child has asked, and the parent has read since.
pub(super) fn unanswered(model: &Model, child: ProcId, parent: ProcId) -> Option<SockId> {
    let mut held = model.table(child)?.iter().filter_map(|(fd, held)| Some((fd, held.file.socket?)));
    let asked = |&(fd, id): &(i32, SockId)| {
        let answered = model.socket(id).and_then(|socket| answered_to(socket, child, parent));
        answered.is_some() && parents_connection(model, parent, fd, id).is_some()
    };
    held.find(asked).map(|(_, id)| id)
}

impl Waits {
    /// Its place among the waits of several threads: what says most is first.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::ForOwner { .. } => 0,
            Self::ForAnswer { .. } => 1,
            Self::InLoop { .. } => 2,
            Self::ForNobody { .. } => 3,
        }
    }

    /// The descriptor that it waits on.
    pub(super) fn fd(&self) -> Option<i32> {
        match *self {
            Self::ForOwner { .. } | Self::ForNobody { .. } => None,
            Self::InLoop { fd } | Self::ForAnswer { fd, .. } => Some(fd),
        }
    }

    /// The connection that it waits on.
    pub(super) fn socket(&self) -> Option<SockId> {
        match *self {
            Self::ForAnswer { socket, .. } => Some(socket),
            Self::ForOwner { .. } | Self::ForNobody { .. } | Self::InLoop { .. } => None,
        }
    }

    /// What is waited on, after the name of the call.
    pub(super) fn on(&self) -> String {
        match self {
            Self::ForOwner { address, owner, .. } => {
                format!("at {address:#x}, whose owner is thread {owner}")
            }
            Self::ForNobody { address } => {
                format!("at {address:#x}, which is its own memory, with no time-out")
            }
            Self::InLoop { fd } => format!("on fd {fd}, on which it watches nothing of its own"),
            Self::ForAnswer { fd, reader, .. } => format!("on fd {fd}, which thread {reader} reads"),
        }
    }

    /// One line.
    pub(super) fn title(&self, model: &Model, pid: u32, parent: u32) -> String {
        match self {
            Self::ForOwner { owner, comm, .. } => {
                format!("{pid} waits for a lock that thread {owner} ({comm}) of {parent} held at the fork")
            }
            Self::ForNobody { address } => {
                format!(
                    "{pid} waits on the futex at {address:#x}, which no thread that crossed the fork will wake"
                )
            }
            Self::InLoop { fd } => format!(
                "{pid} stands still in {parent}'s event loop, the epoll instance on fd {fd}, without the threads that \
                 served it"
            ),
            Self::ForAnswer { socket, reader, .. } => format!(
                "{pid} waits for an answer on {}, which thread {reader} of {parent} reads",
                connection_of(model, Some(*socket))
            ),
        }
    }

    /// Why nobody will end it: a sentence.
    pub(super) fn why(&self, model: &Model, pid: u32, parent: u32) -> String {
        match self {
            Self::ForOwner { owner, .. } => format!(
                "The lock was copied while thread {owner} of {parent} held it: that thread is not in {pid}, and nobody \
                 else will unlock this copy."
            ),
            Self::ForNobody { .. } => format!(
                "Only a thread of {pid} could wake it, and each of them waits likewise: unless it is meant to wait until it is \
                 killed, a thread that did not cross would have woken it."
            ),
            Self::InLoop { fd } => format!(
                "The epoll instance on fd {fd} is {parent}'s, and all that it watches is {parent}'s, too: what would wake \
                 {pid} there is the work of threads that did not cross."
            ),
            Self::ForAnswer { socket, .. } => format!(
                "{pid} asked on {}, and {parent}, which has it too, has read from it since.",
                connection_of(model, Some(*socket))
            ),
        }
    }

    /// The opening of the epoll instance that it waits on.
    pub(super) fn opened(&self, model: &Model, child: ProcId) -> Option<Step> {
        let Self::InLoop { fd } = *self else { return None };
        let opened = inherited(model, child, fd)?.file.opened;
        Some(made_step(opened, "an epoll instance", fd))
    }
}
