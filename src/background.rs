//! A call in the background: on a thread of the library's, with its outcome kept for whoever asks.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::client::{Client, Query, cancelled};
use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::ffi::boundary::contained;
use crate::response::Kept;
use crate::status::Status;
use crate::{fork, thread};

/// How often the outcome of a call that was given up is looked for.
const MOMENT: Duration = Duration::from_millis(1);

/// One call.
pub(crate) struct Call {
    shared: Arc<Shared>,
}

/// What a call and its thread share. Neither waits for the other with a lock, so a fork leaves none behind.
struct Shared {
    /// Set when the outcome is there, or when the call is given up: one descriptor serves both, because nobody who
    /// has given a call up looks at its descriptor any more.
    over: Arc<Event>,
    outcome: OnceLock<Result<Kept>>,
    /// The thread is of this process. In a forked child there is none.
    process: u32,
}

const _: () = {
    const fn assert_shared_between_threads<T: Send + Sync>() {}
    assert_shared_between_threads::<Call>();
};

impl Call {
    /// Starts it, without waiting for anything. What can be refused before anything is sent is refused here.
    pub(crate) fn start(client: Arc<Client>, query: &Query<'_>) -> Result<Call> {
        let prepared = client.prepare(query)?;
        let shared = Arc::new(Shared {
            over: Arc::new(Event::new()),
            outcome: OnceLock::new(),
            process: fork::generation(),
        });
        let own = Arc::clone(&shared);
        let begun = Instant::now();
        let run = move || {
            let outcome = contained(|| {
                let outcome = client.perform(&prepared, Some(&own.over), begun, Kept::new);
                // Before anybody is told: who then looks for what the client held finds it gone.
                drop((client, prepared));
                outcome
            });
            let _ = own.outcome.set(outcome.unwrap_or_else(|panic| Err(Error::bug(&panic))));
            own.over.set();
        };
        thread::start("fish-call", thread::CALL_STACK, run).map_err(no_thread)?;
        Ok(Call { shared })
    }

    pub(crate) fn is_done(&self) -> bool {
        self.known().is_some() || !self.is_ours()
    }

    /// Waits for that long at most; whether it is done.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        let deadline = Deadline::at(Instant::now() + limit);
        while !self.is_done() {
            // Where another thread gives the call up meanwhile, its outcome is a moment away.
            let waited = match self.shared.over.is_set() {
                false => deadline.event(&self.shared.over),
                true => deadline.pause(MOMENT),
            };
            if waited.is_err() {
                return self.is_done();
            }
        }
        true
    }

    /// Readable once it is done. `None`: none could be had.
    pub(crate) fn descriptor(&self) -> Option<isize> {
        self.shared.over.descriptor()
    }

    /// `None` while it runs.
    pub(crate) fn outcome(&self) -> Result<Option<&Kept>> {
        match self.known() {
            Some(Ok(kept)) => Ok(Some(kept)),
            Some(Err(failure)) => Err(failure.clone()),
            None if self.is_ours() => Ok(None),
            None => Err(cancelled(0)),
        }
    }

    /// Cancels it if it runs. Nobody looks at its descriptor any more.
    pub(crate) fn give_up(&self) {
        self.shared.over.set();
    }

    /// The outcome, once everybody has been told.
    fn known(&self) -> Option<&Result<Kept>> {
        self.shared.outcome.get().filter(|_| self.shared.over.is_set())
    }

    fn is_ours(&self) -> bool {
        self.shared.process == fork::generation()
    }
}

/// The process is out of threads, which is like being out of sockets: later it may be otherwise.
pub(crate) fn no_thread(why: std::io::Error) -> Box<Error> {
    let mut error = Error::new(
        Status::ConnectFailed,
        format!(
            "No thread could be started ({why}); have fewer calls and watches at once, or allow more threads."
        ),
    );
    error.retryable = true;
    error
}
