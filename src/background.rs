//! A background call: it runs on a thread of the library, and keeps its outcome.

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

/// How often to check for the outcome of a cancelled call.
const MOMENT: Duration = Duration::from_millis(1);

pub(crate) struct Call {
    shared: Arc<Shared>,
}

/// What a call and its thread share. It has no lock, so a fork cannot leave one locked in the child.
struct Shared {
    /// Set when the outcome is available, and to cancel the call. One descriptor serves both, because it is not used
    /// any more once the call is freed.
    over: Arc<Event>,
    outcome: OnceLock<Result<Kept>>,
    /// The process that has the thread; a forked child has none.
    process: u32,
}

const _: () = {
    const fn assert_shared_between_threads<T: Send + Sync>() {}
    assert_shared_between_threads::<Call>();
};

impl Call {
    /// Starts a call. Errors that can be found before anything is sent are reported here.
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
                // Dropped before the outcome is published, so that the client's memory and descriptors are freed by
                // the time a waiter wakes.
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

    /// Waits for at most `limit`, and returns whether the call is done.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        let deadline = Deadline::at(Instant::now() + limit);
        while !self.is_done() {
            // If another thread cancels the call meanwhile, the outcome follows shortly.
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

    /// Readable once the call is done. `None`: none was available.
    pub(crate) fn descriptor(&self) -> Option<isize> {
        self.shared.over.descriptor()
    }

    /// `None` while the call runs.
    pub(crate) fn outcome(&self) -> Result<Option<&Kept>> {
        match self.known() {
            Some(Ok(kept)) => Ok(Some(kept)),
            Some(Err(failure)) => Err(failure.clone()),
            None if self.is_ours() => Ok(None),
            None => Err(cancelled(0)),
        }
    }

    /// Cancels the call if it is running. Its descriptor must not be used afterwards.
    pub(crate) fn cancel(&self) {
        self.shared.over.set();
    }

    /// The outcome, once it is published.
    fn known(&self) -> Option<&Result<Kept>> {
        self.shared.outcome.get().filter(|_| self.shared.over.is_set())
    }

    fn is_ours(&self) -> bool {
        self.shared.process == fork::generation()
    }
}

/// The process has no thread left, which may change, as with sockets.
pub(crate) fn no_thread(why: std::io::Error) -> Box<Error> {
    let mut error = Error::new(
        Status::ConnectFailed,
        format!(
            "No thread could be started ({why}); run fewer calls and watches at once, or raise the thread limit."
        ),
    );
    error.retryable = true;
    error
}
