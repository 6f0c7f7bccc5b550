//! How a system call is read: which argument is the descriptor, what to copy, when to look.

/// What the probe does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Shape {
    /// Not traced.
    Ignored,
    /// A transfer to the descriptor.
    Send,
    /// A transfer from the descriptor.
    Receive,
    /// Any other call.
    Plain,
    /// A transfer between two descriptors inside the kernel.
    Transfer,
}

/// Where the bytes to copy are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Capture {
    /// Nothing to copy.
    Nothing,
    /// Buffer and length in arguments 1 and 2.
    Buffer,
    /// `struct iovec` array and count in arguments 1 and 2.
    Vectors,
    /// `struct msghdr` in argument 1.
    Message,
    /// `struct mmsghdr` array in argument 1.
    Messages,
    /// A path in argument 0.
    Path0,
    /// A path in argument 1.
    Path1,
    /// A socket address in arguments 1 and 2.
    Address,
    /// The result's number of `struct epoll_event` in argument 1.
    Events,
    /// One `struct epoll_event` in argument 3.
    Event,
}

/// What is taken of a call before its exit, because it is gone or changed by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Enter {
    /// Nothing.
    Nothing,
    /// At its entry the time: it copies the descriptor table, or a descriptor, some time before it ends.
    Time,
    /// At its entry what the descriptor holds: the call closes it.
    Target,
    /// At its entry what argument 1 holds: the call replaces it.
    Replaced,
    /// What argument 0 holds, by another thread that closes or replaces that while the call goes on.
    Blocking,
}

impl Enter {
    /// Whether something is taken at the call's entry.
    #[inline(always)]
    #[must_use]
    pub const fn is_taken(self) -> bool {
        matches!(self, Self::Time | Self::Target | Self::Replaced)
    }
}

/// Which descriptors a call makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Produces {
    /// None.
    Nothing,
    /// Its result, and the call names no other.
    Result,
    /// Its result, beside the one it names.
    Other,
    /// Two, written to the array that argument 0 points to.
    Pair0,
    /// Two, written to the array that argument 3 points to.
    Pair3,
}

/// Which calls of a kind are worth a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Gate {
    /// All.
    Always,
    /// Those on a socket or eventfd, those on a pipe that move a few bytes, and those on a
    /// number with nothing behind it.
    Endpoint,
    /// `fcntl` that duplicates or sets close-on-exec.
    Fcntl,
    /// `ioctl` that sets close-on-exec.
    Ioctl,
    /// `getsockopt(SO_ERROR)`.
    SockError,
    /// Those where one of the two descriptors is a socket, and those on a number with nothing behind it.
    EitherSocket,
    /// `unshare` of the descriptor table.
    UnshareFiles,
}

/// How one system call is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// What kind of record it gives.
    pub shape: Shape,
    /// Which bytes come with it.
    pub capture: Capture,
    /// What is taken of it before its exit.
    pub enter: Enter,
    /// Which descriptors it makes.
    pub produces: Produces,
    /// Which of its calls count.
    pub gate: Gate,
    /// The argument that is the descriptor; [`Spec::NO_FD`]: none.
    pub fd: u8,
    /// The argument that is a second descriptor; [`Spec::NO_FD`]: none.
    pub other: u8,
    /// What a socket is may be different after the call.
    pub changes_socket: bool,
}

impl Spec {
    /// No argument is a descriptor.
    pub const NO_FD: u8 = 0xff;

    /// A call that is not traced.
    pub const IGNORED: Self = Self {
        shape: Shape::Ignored,
        capture: Capture::Nothing,
        enter: Enter::Nothing,
        produces: Produces::Nothing,
        gate: Gate::Always,
        fd: Self::NO_FD,
        other: Self::NO_FD,
        changes_socket: false,
    };

    const fn transfer(shape: Shape, capture: Capture) -> Self {
        Self { shape, capture, enter: Enter::Blocking, fd: 0, ..Self::IGNORED }
    }

    pub(crate) const fn send(capture: Capture) -> Self {
        Self::transfer(Shape::Send, capture)
    }

    pub(crate) const fn receive(capture: Capture) -> Self {
        Self::transfer(Shape::Receive, capture)
    }

    /// A call that names a descriptor.
    pub(crate) const fn on_fd() -> Self {
        Self { shape: Shape::Plain, fd: 0, ..Self::IGNORED }
    }

    /// A call that makes a descriptor and names none.
    pub(crate) const fn makes_fd() -> Self {
        Self { shape: Shape::Plain, produces: Produces::Result, ..Self::IGNORED }
    }

    pub(crate) const fn capture(self, capture: Capture) -> Self {
        Self { capture, ..self }
    }

    pub(crate) const fn enter(self, enter: Enter) -> Self {
        Self { enter, ..self }
    }

    pub(crate) const fn produces(self, produces: Produces) -> Self {
        Self { produces, ..self }
    }

    pub(crate) const fn gate(self, gate: Gate) -> Self {
        Self { gate, ..self }
    }

    pub(crate) const fn other(self, other: u8) -> Self {
        Self { other, ..self }
    }

    pub(crate) const fn changes_socket(self) -> Self {
        Self { changes_socket: true, ..self }
    }
}
