//! Servers from Debian's packages, with their data in a temporary directory: how to
//! start, load and stop each.

use crate::process::{Process, until};
use crate::servers::free_port;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// PostgreSQL refuses to run as root.
const AS_NOBODY: [&str; 4] = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"];

/// A server that was not started yet, or was.
#[derive(Debug)]
pub(crate) struct Server {
    /// The command that starts it, in the foreground.
    pub(crate) command: Vec<String>,
    /// Where it will listen on 127.0.0.1.
    pub(crate) port: u16,
    pub(crate) pid_file: PathBuf,
    pub(crate) stop: Signal,
    pub(crate) directory: TempDir,
}

impl Server {
    /// Waits until it accepts connections.
    pub(crate) fn ready(&self) {
        until("the server listens", || TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok());
        until("the server wrote its pid", || self.pid().is_some());
        // PostgreSQL listens before it takes queries, and says in its lock file when it does (pidfile.h).
        let takes_queries = || fs::read_to_string(&self.pid_file).is_ok_and(|text| text.contains("ready"));
        until("the server is ready", || !self.pid_file.ends_with("postmaster.pid") || takes_queries());
    }

    /// A file beside its pid's.
    fn data(&self, name: &str) -> String {
        self.pid_file.with_file_name(name).to_str().expect("a plain path").to_owned()
    }

    /// Its first process.
    pub(crate) fn pid(&self) -> Option<u32> {
        fs::read_to_string(&self.pid_file).ok()?.lines().next()?.trim().parse().ok()
    }

    /// Asks it to end.
    pub(crate) fn stop(&self) {
        let pid = self.pid().expect("it runs");
        kill(Pid::from_raw(pid.try_into().expect("a pid")), self.stop).expect("it runs");
    }

    /// Starts it untraced, and waits until it accepts.
    pub(crate) fn start(&self) -> Process {
        let process =
            Process::start(Command::new(&self.command[0]).args(&self.command[1..]).current_dir("/"));
        self.ready();
        process
    }
}

/// Where Debian keeps PostgreSQL's programs: of its newest version here.
fn postgres_programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed").flatten();
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.map(|entry| entry.path()).max_by_key(|path| number(path));
    newest.expect("a version of PostgreSQL").join("bin")
}

pub(crate) fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A directory that nobody may use.
pub(crate) fn directory() -> (TempDir, String) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    fs::set_permissions(directory.path(), Permissions::from_mode(0o777)).expect("own directory");
    let path = directory.path().to_str().expect("a plain path").to_owned();
    (directory, path)
}

/// Runs a client to its end.
#[track_caller]
pub(crate) fn client(program: impl AsRef<Path>, arguments: &[&str]) -> String {
    let output = Command::new(program.as_ref()).args(arguments).current_dir("/").output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", program.as_ref().display()));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {arguments:?}: {text}{error}", program.as_ref().display());
    text
}

/// A PostgreSQL with the user `test` and an empty database `postgres`.
pub(crate) fn postgres() -> Server {
    let (directory, path) = directory();
    let (data, programs) = (format!("{path}/data"), postgres_programs());
    let program = |name: &str| programs.join(name).to_str().expect("a plain path").to_owned();
    let initdb =
        [&AS_NOBODY[1..], &[&program("initdb"), "-D", &data, "-U", "test", "--auth=trust", "--no-sync"]];
    client(AS_NOBODY[0], &initdb.concat());
    let port = free_port();
    let mut command = strings(&AS_NOBODY);
    let (postgres, port_text) = (program("postgres"), port.to_string());
    command.extend(strings(&[&postgres, "-D", &data, "-p", &port_text, "-c", "listen_addresses=127.0.0.1"]));
    command.extend(strings(&["-c", "unix_socket_directories=", "-c", "fsync=off"]));
    let pid_file = PathBuf::from(data).join("postmaster.pid");
    // SIGINT: fast shutdown (PostgreSQL's manual, "Shutting Down the Server").
    Server { command, port, pid_file, stop: Signal::SIGINT, directory }
}

/// The same with TLS of this version, as PostgreSQL names it (`TLSv1.3`).
pub(crate) fn postgres_tls(version: &str) -> Server {
    let mut server = postgres();
    let (key, certificate) = (server.data("key.pem"), server.data("certificate.pem"));
    certify(&AS_NOBODY, &key, &certificate);
    for setting in [
        "ssl=on".to_owned(),
        format!("ssl_key_file={key}"),
        format!("ssl_cert_file={certificate}"),
        format!("ssl_min_protocol_version={version}"),
        format!("ssl_max_protocol_version={version}"),
    ] {
        server.command.extend(["-c".to_owned(), setting]);
    }
    server
}

/// How a client reaches that: by a name, which it says to the server, and whose address it need not look up.
pub(crate) fn dsn_tls(postgres: &Server) -> String {
    dsn(postgres).replace("host=", "host=localhost hostaddr=").replace("sslmode=disable", "sslmode=require")
}

/// How a client reaches the PostgreSQL: a connection string of libpq.
pub(crate) fn dsn(postgres: &Server) -> String {
    format!("host=127.0.0.1 port={} user=test dbname=postgres sslmode=disable", postgres.port)
}

/// `pgbench`: its tables, then transactions of 4 clients, a new connection for each.
pub(crate) fn load_postgres(server: &Server) {
    let (pgbench, dsn) = (postgres_programs().join("pgbench"), dsn(server));
    client(&pgbench, &["-i", "-q", &dsn]);
    client(&pgbench, &["-c", "4", "-t", "25", "-C", &dsn]);
}

/// An empty MariaDB that takes anyone: without grant tables it needs no system database.
pub(crate) fn mariadb() -> Server {
    let (directory, path) = directory();
    let port = free_port();
    let mut command = strings(&AS_NOBODY);
    command.extend(strings(&[
        "/usr/sbin/mariadbd",
        "--no-defaults",
        "--skip-grant-tables",
        "--bind-address=127.0.0.1",
    ]));
    command.push("--innodb-buffer-pool-size=8M".to_owned());
    let pid_file = format!("{path}/pid");
    let places = [("datadir", &path), ("socket", &format!("{path}/socket")), ("pid-file", &pid_file)];
    command.extend(places.map(|(option, place)| format!("--{option}={place}")));
    command.push(format!("--port={port}"));
    Server { command, port, pid_file: pid_file.into(), stop: Signal::SIGTERM, directory }
}

/// An empty Redis.
pub(crate) fn redis() -> Server {
    let (directory, path) = directory();
    let port = free_port();
    let (port_text, pid_file) = (port.to_string(), format!("{path}/redis.pid"));
    let mut command = strings(&["redis-server", "--port", &port_text, "--bind", "127.0.0.1", "--dir", &path]);
    command.extend(strings(&["--pidfile", &pid_file, "--save", "", "--daemonize", "no"]));
    Server { command, port, pid_file: pid_file.into(), stop: Signal::SIGTERM, directory }
}

/// The same, which speaks TLS on its port.
pub(crate) fn redis_tls() -> Server {
    let mut server = redis();
    let (key, certificate) = (server.data("key.pem"), server.data("certificate.pem"));
    certify(&[], &key, &certificate);
    let port = server.port.to_string();
    let settings = ["--port", "0", "--tls-port", &port, "--tls-auth-clients", "no"];
    server.command.extend(strings(&settings));
    server.command.extend(strings(&["--tls-key-file", &key, "--tls-cert-file", &certificate]));
    server
}

/// Makes a key and a certificate that nobody knows; `before` comes before the command.
pub(crate) fn certify(before: &[&str], key: &str, certificate: &str) {
    let openssl =
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let files = ["-keyout", key, "-out", certificate, "-subj", "/CN=localhost", "-days", "2"];
    let command = [before, &openssl, &files].concat();
    client(command[0], &command[1..]);
}

/// `redis-benchmark` with a background save in the middle of it.
pub(crate) fn load_redis(server: &Server) {
    let port = server.port.to_string();
    let ask = |command: &[&str]| client("redis-cli", &[&["-p", &port], command].concat());
    let bench = || client("redis-benchmark", &["-p", &port, "-n", "2000", "-c", "10", "-t", "set,get", "-q"]);
    bench();
    ask(&["bgsave"]);
    bench();
    until("the save is done", || ask(&["info", "persistence"]).contains("rdb_bgsave_in_progress:0"));
    assert!(ask(&["info", "persistence"]).contains("rdb_last_bgsave_status:ok"));
}

/// An nginx with two workers that answers each request with a word, and below `/echo/` with its own path.
pub(crate) fn nginx() -> Server {
    let (directory, path) = directory();
    let port = free_port();
    let temporary =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|kind| format!("{kind}_temp_path {path};"));
    let configuration = format!(
        "daemon off; worker_processes 2; pid {path}/pid; error_log {path}/errors;
         events {{ worker_connections 64; }}
         http {{ access_log off; {}
           server {{ listen 127.0.0.1:{port}; location / {{ return 200 word; }} location /echo/ {{ return 200 $uri; }} }} }}",
        temporary.join(" ")
    );
    let file = format!("{path}/nginx.conf");
    fs::write(&file, configuration).expect("own directory");
    let command = strings(&["/usr/sbin/nginx", "-p", &path, "-c", &file, "-e", &format!("{path}/errors")]);
    Server { command, port, pid_file: format!("{path}/pid").into(), stop: Signal::SIGQUIT, directory }
}
