//! Message brokers from Debian's packages, and a TLS server in Python: on free ports of 127.0.0.1, with their
//! data in a temporary directory. Dropped, they end.

use crate::env::{Env, program};
use crate::process::{Process, until};
use crate::servers::free_port;
use serde_json::Value;
use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use tempfile::TempDir;

/// A running server.
#[derive(Debug)]
pub(crate) struct Broker {
    /// Where it listens on 127.0.0.1.
    pub(crate) port: u16,
    _processes: Vec<Process>,
    _directory: Option<TempDir>,
}

/// RabbitMQ, as nobody, and the names' server of Erlang that it asks for its own name.
pub(crate) fn rabbitmq() -> Broker {
    let directory = tempfile::tempdir().expect("a temporary directory");
    fs::set_permissions(directory.path(), Permissions::from_mode(0o777)).expect("own directory");
    let path = |name: &str| directory.path().join(name).into_os_string();
    let [names, port, cluster] = [free_port(), free_port(), free_port()].map(|port| port.to_string());
    let nobody = || {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "env"]);
        command
    };
    let epmd = Process::start(nobody().args(["epmd", "-port", &names, "-address", "127.0.0.1"]));
    let mut server = nobody();
    server.arg("/usr/lib/rabbitmq/bin/rabbitmq-server").current_dir("/");
    // The script then becomes the server, so that what ends it ends the server.
    server.env("RUNNING_UNDER_SYSTEMD", "1");
    server.env("ERL_EPMD_ADDRESS", "127.0.0.1").env("ERL_EPMD_PORT", names);
    server.env("RABBITMQ_NODENAME", "forkscope@localhost").env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1");
    server.env("RABBITMQ_NODE_PORT", &port).env("RABBITMQ_DIST_PORT", cluster);
    // One thread that does not spin: others test here as well.
    let erlang = "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}";
    server.env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", erlang);
    server.env("RABBITMQ_CONF_ENV_FILE", "/dev/null").env("RABBITMQ_LOGS", "-").env("HOME", path(""));
    for (variable, name) in [
        ("RABBITMQ_MNESIA_BASE", "data"),
        ("RABBITMQ_LOG_BASE", "log"),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", "plugins"),
        ("RABBITMQ_PID_FILE", "pid"),
    ] {
        server.env(variable, path(name));
    }
    let mut server = Process::start(&mut server);
    server.stdout_says("Server startup complete");
    let port = port.parse().expect("a port");
    Broker { port, _processes: vec![server, epmd], _directory: Some(directory) }
}

/// mosquitto, an MQTT server: without a configuration it listens on the loopback only.
pub(crate) fn mosquitto() -> Broker {
    let port = free_port();
    let server = Process::start(Command::new("/usr/sbin/mosquitto").args(["-p", &port.to_string()]));
    until("mosquitto listens", || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
    Broker { port, _processes: vec![server], _directory: None }
}

/// A TLS server of this version that answers with what it gets.
pub(crate) fn tls_echo(env: &Env, version: &str) -> Broker {
    let mut server = Process::start(Command::new(env.python()).arg(program("tls_echo.py")).arg(version));
    let ready: Value = serde_json::from_str(&server.stdout_says("ready")).expect("JSON");
    let port = ready["port"].as_u64().and_then(|port| port.try_into().ok()).expect("a port");
    Broker { port, _processes: vec![server], _directory: None }
}
