//! Servers that fork their workers, and where each wants connections made.

use super::fix;
use crate::report::Fix;

/// A server that forks its workers, after it has loaded the application or before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its program, and the name that its processes give themselves.
    name: &'static str,
    hook: &'static str,
}

/// By their documentation: gunicorn's `post_fork` and `preload_app`, uWSGI's `postfork` and `lazy-apps`,
/// Celery's `worker_process_init`, Puma's `before_worker_boot` and `preload_app!`, Unicorn's
/// `after_fork` and `preload_app`.
const SERVERS: [Server; 5] = [
    Server {
        name: "gunicorn",
        hook: "under gunicorn, connect in `post_fork(server, worker)` of the configuration, or leave `--preload` out",
    },
    Server {
        name: "uwsgi",
        hook: "under uWSGI, connect in a function with `@uwsgidecorators.postfork`, or set `lazy-apps = true`",
    },
    Server {
        name: "celery",
        hook: "under Celery, connect in a handler of `celery.signals.worker_process_init`, not when the module is imported",
    },
    Server {
        name: "puma",
        hook: "under Puma, connect in `before_worker_boot` (`on_worker_boot` before 7), or leave `preload_app!` out",
    },
    Server {
        name: "unicorn",
        hook: "under Unicorn, disconnect in `before_fork` and connect in `after_fork`, or set `preload_app false`",
    },
];

/// Words of a command line that may name the program: an interpreter, `-m`, then it.
const NAMING: usize = 3;

impl Server {
    /// The server that a process with this command line is. Its processes may have given themselves a title
    /// instead: `gunicorn: worker [app]`.
    #[must_use]
    pub fn of(words: &[String]) -> Option<Self> {
        words.iter().take(NAMING).find_map(|word| {
            let title = word.trim_start_matches('[');
            let path = title.split([' ', ':']).next().unwrap_or_default();
            let name = path.rsplit('/').next().unwrap_or_default();
            SERVERS
                .into_iter()
                .find(|server| server.name == name || name == "celeryd" && server.name == "celery")
        })
    }

    /// What to change in its configuration.
    pub(super) fn fix(self) -> Fix {
        fix(
            self.hook,
            "what the application opens while it is loaded in the first process, all workers inherit: a hook runs in each",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_known_by_their_command_lines_and_titles() {
        for (line, expected) in [
            (&["/usr/bin/python3", "/usr/bin/gunicorn", "--preload", "app"][..], Some("gunicorn")),
            (&["python3", "-m", "celery", "-A", "app", "worker"], Some("celery")),
            (&["gunicorn: worker [app]"], Some("gunicorn")),
            (&["[celeryd: worker@host:MainProcess]"], Some("celery")),
            (&["puma: cluster worker 0: 7 [app]"], Some("puma")),
            (&["unicorn master -c a.rb"], Some("unicorn")),
            (&["/opt/uwsgi", "--ini", "a.ini"], Some("uwsgi")),
            (&["python3", "app.py", "--server", "gunicorn"], None),
            (&["vi", "gunicorn.conf.py"], None),
            (&[], None),
        ] {
            let words: Vec<String> = line.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(Server::of(&words).map(|server| server.name), expected, "{line:?}");
        }
    }
}
