//! AMQP 0-9-1's methods (specification, XML definition: classes and methods), with
//! `confirm`, RabbitMQ's extension.

/// A method: its class, its number there, its name, and whose it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Method {
    class: u16,
    number: u16,
    pub(super) name: &'static str,
    pub(super) whose: Whose,
}

/// Who may send a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Client,
    Server,
    Either,
    /// The server, as the reply to the client's method with this number in the same class.
    Answer(u16),
}

pub(super) const CONNECTION_CLOSE: (u16, u16) = (10, 50);
pub(super) const CONNECTION_CLOSE_OK: (u16, u16) = (10, 51);
pub(super) const CHANNEL_OPEN: (u16, u16) = (20, 10);
pub(super) const CHANNEL_CLOSE: (u16, u16) = (20, 40);

const fn method(class: u16, number: u16, name: &'static str, whose: Whose) -> Method {
    Method { class, number, name, whose }
}

const METHODS: [Method; 66] = {
    use Whose::{Answer, Client, Either, Server};
    [
        method(10, 10, "Connection.Start", Server),
        method(10, 11, "Connection.StartOk", Client),
        method(10, 20, "Connection.Secure", Server),
        method(10, 21, "Connection.SecureOk", Client),
        method(10, 30, "Connection.Tune", Server),
        method(10, 31, "Connection.TuneOk", Client),
        method(10, 40, "Connection.Open", Client),
        method(10, 41, "Connection.OpenOk", Answer(40)),
        method(10, 50, "Connection.Close", Either),
        method(10, 51, "Connection.CloseOk", Either),
        method(10, 60, "Connection.Blocked", Server),
        method(10, 61, "Connection.Unblocked", Server),
        method(10, 70, "Connection.UpdateSecret", Client),
        method(10, 71, "Connection.UpdateSecretOk", Answer(70)),
        method(20, 10, "Channel.Open", Client),
        method(20, 11, "Channel.OpenOk", Answer(10)),
        method(20, 20, "Channel.Flow", Either),
        method(20, 21, "Channel.FlowOk", Either),
        method(20, 40, "Channel.Close", Either),
        method(20, 41, "Channel.CloseOk", Either),
        method(30, 10, "Access.Request", Client),
        method(30, 11, "Access.RequestOk", Answer(10)),
        method(40, 10, "Exchange.Declare", Client),
        method(40, 11, "Exchange.DeclareOk", Answer(10)),
        method(40, 20, "Exchange.Delete", Client),
        method(40, 21, "Exchange.DeleteOk", Answer(20)),
        method(40, 30, "Exchange.Bind", Client),
        method(40, 31, "Exchange.BindOk", Answer(30)),
        method(40, 40, "Exchange.Unbind", Client),
        method(40, 51, "Exchange.UnbindOk", Answer(40)),
        method(50, 10, "Queue.Declare", Client),
        method(50, 11, "Queue.DeclareOk", Answer(10)),
        method(50, 20, "Queue.Bind", Client),
        method(50, 21, "Queue.BindOk", Answer(20)),
        method(50, 30, "Queue.Purge", Client),
        method(50, 31, "Queue.PurgeOk", Answer(30)),
        method(50, 40, "Queue.Delete", Client),
        method(50, 41, "Queue.DeleteOk", Answer(40)),
        method(50, 50, "Queue.Unbind", Client),
        method(50, 51, "Queue.UnbindOk", Answer(50)),
        method(60, 10, "Basic.Qos", Client),
        method(60, 11, "Basic.QosOk", Answer(10)),
        method(60, 20, "Basic.Consume", Client),
        method(60, 21, "Basic.ConsumeOk", Answer(20)),
        method(60, 30, "Basic.Cancel", Either),
        method(60, 31, "Basic.CancelOk", Either),
        method(60, 40, "Basic.Publish", Client),
        method(60, 50, "Basic.Return", Server),
        method(60, 60, "Basic.Deliver", Server),
        method(60, 70, "Basic.Get", Client),
        method(60, 71, "Basic.GetOk", Answer(70)),
        method(60, 72, "Basic.GetEmpty", Answer(70)),
        method(60, 80, "Basic.Ack", Either),
        method(60, 90, "Basic.Reject", Client),
        method(60, 100, "Basic.RecoverAsync", Client),
        method(60, 110, "Basic.Recover", Client),
        method(60, 111, "Basic.RecoverOk", Answer(110)),
        method(60, 120, "Basic.Nack", Either),
        method(85, 10, "Confirm.Select", Client),
        method(85, 11, "Confirm.SelectOk", Answer(10)),
        method(90, 10, "Tx.Select", Client),
        method(90, 11, "Tx.SelectOk", Answer(10)),
        method(90, 20, "Tx.Commit", Client),
        method(90, 21, "Tx.CommitOk", Answer(20)),
        method(90, 30, "Tx.Rollback", Client),
        method(90, 31, "Tx.RollbackOk", Answer(30)),
    ]
};

impl Method {
    /// The method with these numbers.
    pub(super) fn find((class, number): (u16, u16)) -> Option<&'static Self> {
        METHODS.iter().find(|method| (method.class, method.number) == (class, number))
    }

    /// Does the server answer it with a method of its own?
    pub(super) fn is_answered(&self) -> bool {
        METHODS.iter().any(|other| other.class == self.class && other.whose == Whose::Answer(self.number))
    }
}
