//! Servers that fork workers for their clients, each with its files in a temporary directory.

use crate::databases::{Server, client, directory, strings};
use crate::env::{Env, program};
use crate::servers::free_port;
use nix::sys::signal::Signal;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;

/// A server with its port and its directory put into `configuration`, kept as the file `conf` there.
fn server(configuration: &str, stop: Signal, command: impl FnOnce(&str, u16) -> Vec<String>) -> Server {
    let (directory, path) = directory();
    let port = free_port();
    let configuration = configuration.replace("PORT", &port.to_string()).replace("HERE", &path);
    // PHP takes a line that begins with a blank for no section.
    let configuration: String = configuration.lines().flat_map(|line| [line.trim(), "\n"]).collect();
    fs::write(format!("{path}/conf"), configuration).expect("own directory");
    fs::write(format!("{path}/word"), "word").expect("own directory");
    Server { command: command(&path, port), port, pid_file: format!("{path}/pid").into(), stop, directory }
}

/// Apache with processes for its clients.
pub(crate) fn apache() -> Server {
    let configuration = "
        ServerRoot HERE
        ServerName localhost
        PidFile HERE/pid
        ErrorLog HERE/errors
        Listen 127.0.0.1:PORT
        DocumentRoot HERE
        LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so
        LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
        User nobody
        Group nogroup
        StartServers 2
        MaxConnectionsPerChild 40
    ";
    server(configuration, Signal::SIGTERM, |path, _| {
        // At its end it sends a signal to its whole process group: it gets one of its own
        // (server/mpm/prefork/prefork.c).
        strings(&["setsid", "/usr/sbin/apache2", "-D", "FOREGROUND", "-f", &format!("{path}/conf")])
    })
}

/// PHP's process manager with two workers, which speaks FastCGI.
pub(crate) fn php_fpm() -> Server {
    let configuration = "
        [global]
        pid = HERE/pid
        error_log = HERE/errors
        [www]
        listen = 127.0.0.1:PORT
        user = nobody
        group = nogroup
        pm = static
        pm.max_children = 2
        pm.max_requests = 10
    ";
    server(configuration, Signal::SIGQUIT, |path, _| {
        fs::write(format!("{path}/word.php"), "<?php echo \"word\";").expect("own directory");
        let installed = fs::read_dir("/usr/sbin").expect("a folder").flatten().map(|entry| entry.path());
        let mut programs = installed.filter(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("php-fpm"))
        });
        let program = programs.next().expect("it is installed");
        strings(&[program.to_str().expect("a plain path"), "-n", "-F", "-y", &format!("{path}/conf")])
    })
}

/// gunicorn with two workers, and perhaps with the application loaded before it forks them.
pub(crate) fn gunicorn(env: &Env, application: &str, preload: bool) -> Server {
    server("", Signal::SIGTERM, |path, port| {
        let (python, address) = (env.python(), format!("127.0.0.1:{port}"));
        let mut command =
            strings(&[python.to_str().expect("a plain path"), "-m", "gunicorn", "-w", "2", "-b", &address]);
        let folder = program("").to_str().expect("a plain path").to_owned();
        command.extend(strings(&["-p", &format!("{path}/pid"), "--chdir", &folder, application]));
        command.extend(preload.then(|| "--preload".to_owned()));
        command
    })
}

/// OpenSSH's server, with a key for root.
pub(crate) fn sshd() -> Server {
    let configuration = "
        Port PORT
        ListenAddress 127.0.0.1
        PidFile HERE/pid
        HostKey HERE/host
        AuthorizedKeysFile HERE/key.pub
        StrictModes no
        UsePAM no
        PermitRootLogin prohibit-password
    ";
    // It keeps its unprivileged half there (sshd(8), FILES).
    fs::create_dir_all("/run/sshd").expect("root");
    let server = server(configuration, Signal::SIGTERM, |path, _| {
        strings(&["/usr/sbin/sshd", "-D", "-e", "-f", &format!("{path}/conf")])
    });
    for key in ["host", "key"] {
        let file = server.directory.path().join(key);
        client("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", file.to_str().expect("a plain path")]);
    }
    server
}

/// Asks for a word.
pub(crate) fn get(server: &Server) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).expect("connect");
    stream.write_all(b"GET /word HTTP/1.0\r\n\r\n").expect("ask");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answer");
    answer.split("\r\n\r\n").last().unwrap_or_default().to_owned()
}

/// Asks for a word, many times from several clients at once.
pub(crate) fn load_http(server: &Server) {
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..25).for_each(|_| assert_eq!(get(server), "word")));
        }
    });
}

/// Asks for the page of PHP, as a web server does.
pub(crate) fn load_php(server: &Server) {
    for _ in 0..30 {
        let mut command = Command::new("cgi-fcgi");
        command.args(["-bind", "-connect", &format!("127.0.0.1:{}", server.port)]);
        command.env("SCRIPT_FILENAME", server.directory.path().join("word.php")).env("REQUEST_METHOD", "GET");
        let output = command.output().expect("it is installed");
        let answer = String::from_utf8_lossy(&output.stdout);
        assert!(answer.ends_with("word"), "{answer}");
    }
}

/// Logs in, several times, and runs a program.
pub(crate) fn log_in(server: &Server) {
    let at = |name: &str| path(&server.directory.path().join(name));
    let known = format!("UserKnownHostsFile={}", at("known"));
    for _ in 0..3 {
        let port = server.port.to_string();
        let options =
            ["-F", "none", "-p", &port, "-i", &at("key"), "-o", "StrictHostKeyChecking=no", "-o", &known];
        let said = client("ssh", &[&options[..], &["root@127.0.0.1", "echo word"]].concat());
        assert_eq!(said, "word\n");
    }
}

fn path(path: &Path) -> String {
    path.to_str().expect("a plain path").to_owned()
}
