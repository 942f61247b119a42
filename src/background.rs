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

/// One call. Dropping it cancels the call if it runs, and never waits.
pub(crate) struct Call {
    shared: Arc<Shared>,
}

/// What a call and its thread share. Neither waits for the other with a lock, so a fork leaves none behind.
struct Shared {
    done: Event,
    cancel: Arc<Event>,
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
            done: Event::new(),
            cancel: Arc::new(Event::new()),
            outcome: OnceLock::new(),
            process: fork::generation(),
        });
        let own = Arc::clone(&shared);
        let begun = Instant::now();
        let run = move || {
            let outcome = contained(|| client.perform(&prepared, Some(&own.cancel), begun, Kept::new));
            let _ = own.outcome.set(outcome.unwrap_or_else(|panic| Err(Error::bug(&panic))));
            // Before anybody is told: who then looks for what the client held finds it gone.
            drop(client);
            own.done.set();
        };
        thread::start("fish-call", thread::CALL_STACK, run).map_err(no_thread)?;
        Ok(Call { shared })
    }

    pub(crate) fn is_done(&self) -> bool {
        self.shared.done.is_set() || !self.is_ours()
    }

    /// Waits for that long at most; whether it is done.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        self.is_done() || Deadline::at(Instant::now() + limit).event(&self.shared.done).is_ok()
    }

    /// Readable once it is done. `None`: none could be had.
    pub(crate) fn descriptor(&self) -> Option<isize> {
        self.shared.done.descriptor()
    }

    /// `None` while it runs.
    pub(crate) fn outcome(&self) -> Result<Option<&Kept>> {
        if !self.is_ours() {
            return Err(cancelled(0));
        }
        match self.shared.outcome.get() {
            Some(Ok(kept)) if self.shared.done.is_set() => Ok(Some(kept)),
            Some(Err(failure)) if self.shared.done.is_set() => Err(failure.clone()),
            _ => Ok(None),
        }
    }

    fn is_ours(&self) -> bool {
        self.shared.process == fork::generation()
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.shared.cancel.set();
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
