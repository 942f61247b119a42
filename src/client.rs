//! The call: attempts, deadline, cancel.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use ureq::http::Uri;
use zeroize::Zeroizing;

use crate::deadline::{Deadline, Interrupted};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::fork::{self, PerProcess};
use crate::http::error::{Kind, Phase, TransportError};
use crate::http::proxy::{Environment, Proxy};
use crate::http::trust::{Roots, Trust};
use crate::http::{self, Network, Route};
use crate::random::random;
use crate::request::{self, Origin, Target, Template};
use crate::response::{self, ApiCredit, Response};
use crate::retry;
use crate::status::Status;

const DEFAULT_TIMEOUT: Duration = Duration::from_millis(15_000);
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_millis(5_000);
const DEFAULT_MAX_RETRIES: u32 = 2;
const KEY_VARIABLE: &str = "FISH_API_KEY";

/// A client's options as the caller set them: zero and `None` mean the default.
#[derive(Default)]
pub(crate) struct Options<'a> {
    pub api_key: Option<&'a str>,
    pub base_url: Option<&'a str>,
    pub proxy_url: Option<&'a str>,
    pub ca_file: Option<&'a str>,
    pub user_agent: Option<&'a str>,
    pub timeout_ms: u32,
    pub connect_timeout_ms: u32,
    pub max_retries: i32,
    pub tls_roots: i32,
}

/// A query as the caller set it.
#[derive(Default)]
pub(crate) struct Query<'a> {
    pub target: Target<'a>,
    pub timeout: Option<Duration>,
    pub cancel: Option<Arc<Event>>,
}

/// A validated query. It can be sent any number of times.
pub(crate) struct Prepared {
    uri: Uri,
    pub timeout: Duration,
    pub cancel: Option<Arc<Event>>,
}

pub(crate) struct Client {
    key: Zeroizing<String>,
    template: Template,
    route: Arc<Route>,
    timeout: Duration,
    max_retries: u32,
    network: PerProcess<Network>,
    /// Set once: every call, current and future, is cancelled.
    ended: Arc<Event>,
}

const _: () = {
    const fn assert_shared_between_threads<T: Send + Sync>() {}
    assert_shared_between_threads::<Client>();
};

impl Client {
    pub(crate) fn new(options: &Options<'_>, environment: Environment<'_>) -> Result<Client> {
        let key = find_key(options.api_key, environment)?;
        let origin = Origin::parse(options.base_url.unwrap_or(request::DEFAULT_BASE_URL))?;
        let user_agent = request::user_agent(options.user_agent)?;
        let proxy = Proxy::choose(options.proxy_url, &origin, environment)?;
        let roots = match (options.ca_file, options.tls_roots) {
            (_, other) if !(0..=1).contains(&other) => {
                return Err(Error::invalid(format!(
                    "options.tls_roots is {other}; set it to FISH_TLS_ROOTS_BUNDLED or FISH_TLS_ROOTS_SYSTEM."
                )));
            }
            (Some(path), _) => Roots::File(path),
            (None, 0) => Roots::Bundled,
            (None, _) => Roots::System,
        };
        // Loaded even if base_url is plain http, so that a wrong option is reported.
        let trust = match (origin.https, roots) {
            (false, Roots::Bundled) => None,
            _ => Some(Trust::new(roots)?),
        };
        let max_retries = match options.max_retries {
            0 => DEFAULT_MAX_RETRIES,
            -1 => 0,
            1.. => options.max_retries.unsigned_abs(),
            other => {
                return Err(Error::invalid(format!(
                    "options.max_retries is {other}; set it to a count, 0 for the default or -1 for none."
                )));
            }
        };
        let trust = trust.filter(|_| origin.https);
        let connect_timeout = milliseconds(options.connect_timeout_ms).unwrap_or(DEFAULT_CONNECT_TIMEOUT);
        let template = Template::new(&origin, &key, &user_agent)?;
        let route = Arc::new(Route {
            origin,
            proxy,
            trust,
            connect_timeout,
            user_agent,
            request_room: template.room(),
            config: http::config(),
        });
        let network = Network::new(&route);
        let own = template.uri(&Target::default())?;
        fork::set_up(|| network.rehearse(&template.request(&own)));
        Ok(Client {
            key,
            template,
            timeout: milliseconds(options.timeout_ms).unwrap_or(DEFAULT_TIMEOUT),
            max_retries,
            network: PerProcess::new(network),
            route,
            ended: Arc::new(Event::new()),
        })
    }

    /// Set when the client is cancelled.
    pub(crate) fn ended(&self) -> Arc<Event> {
        Arc::clone(&self.ended)
    }

    /// Cancels every call with this client, current and future. Takes no lock and allocates nothing.
    pub(crate) fn cancel(&self) {
        self.ended.set();
    }

    /// Makes the call, and passes the API credit and its document to `read`.
    pub(crate) fn api_credit<T>(
        &self,
        query: &Query<'_>,
        read: impl Fn(&ApiCredit<'_>, &str) -> T,
    ) -> Result<T> {
        self.perform(&self.prepare(query)?, None, Instant::now(), read)
    }

    /// Validates a query: reports every error that can be found before anything is sent.
    pub(crate) fn prepare(&self, query: &Query<'_>) -> Result<Prepared> {
        let prepared = Prepared {
            uri: self.template.uri(&query.target)?,
            timeout: query.timeout.unwrap_or(self.timeout),
            cancel: query.cancel.clone(),
        };
        if self.ended.is_set() || prepared.cancel.as_ref().is_some_and(|cancel| cancel.is_set()) {
            return Err(cancelled(0));
        }
        Ok(prepared)
    }

    /// Makes the call, with retries. `background` cancels it too, like its token and the client's `ended`.
    pub(crate) fn perform<T>(
        &self,
        prepared: &Prepared,
        background: Option<&Arc<Event>>,
        begun: Instant,
        read: impl Fn(&ApiCredit<'_>, &str) -> T,
    ) -> Result<T> {
        let timeout = prepared.timeout;
        let cancels = [prepared.cancel.clone(), Some(Arc::clone(&self.ended)), background.cloned()];
        let deadline = Deadline::new(begun + timeout, cancels);
        let request = self.template.request(&prepared.uri);
        let network = self.network.get(|| Network::new(&self.route));
        let mut retries = 0;
        loop {
            let outcome = network
                .send(&request, &deadline, |response, cut| self.interpret(response, cut, timeout, &read));
            let mut failure = match outcome {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(failure)) => failure,
                Err(error) => error.into_error(timeout),
            };
            failure.attempts = retries + 1;
            let remaining = deadline.remaining();
            let Some(wait) = retry::backoff(&failure, retries, self.max_retries, remaining, random()) else {
                return Err(failure);
            };
            match deadline.pause(wait) {
                Ok(()) => retries += 1,
                Err(Interrupted::DeadlinePassed) => return Err(failure),
                Err(Interrupted::Cancelled) => return Err(cancelled(failure.attempts)),
            }
        }
    }

    /// Turns a response into a result. `cut`: why its body is incomplete.
    fn interpret<T>(
        &self,
        response: &Response<'_>,
        cut: Option<&TransportError>,
        timeout: Duration,
        read: impl Fn(&ApiCredit<'_>, &str) -> T,
    ) -> Result<T> {
        match (response.status, cut) {
            (_, Some(TransportError { kind: Kind::Cancelled, .. })) => Err(cancelled(0)),
            (200, None) => {
                let (credit, document) = response::success(response, &self.key)?;
                Ok(read(&credit, document))
            }
            (200, Some(cut)) => {
                let mut failure = cut.clone().into_error(timeout);
                response::describe(&mut failure, response, &self.key);
                Err(failure)
            }
            // The status decides, however the body ended.
            _ => Err(response::failure(response, &self.key, SystemTime::now())),
        }
    }
}

pub(crate) fn cancelled(attempts: u32) -> Box<Error> {
    let mut error = Phase::Waiting.error(Kind::Cancelled).into_error(Duration::ZERO);
    error.attempts = attempts;
    error
}

fn milliseconds(ms: u32) -> Option<Duration> {
    (ms != 0).then(|| Duration::from_millis(ms.into()))
}

fn find_key(option: Option<&str>, environment: Environment<'_>) -> Result<Zeroizing<String>> {
    let (key, name) = match option {
        Some(key) => (Zeroizing::new(key.to_owned()), "options.api_key"),
        None => match environment(KEY_VARIABLE).map(std::ffi::OsString::into_string) {
            Some(Ok(key)) => (Zeroizing::new(key), KEY_VARIABLE),
            Some(Err(key)) => {
                drop(Zeroizing::new(key.into_encoded_bytes()));
                return Err(Error::invalid(format!(
                    "{KEY_VARIABLE} in the environment is not valid UTF-8; set it to the key alone."
                )));
            }
            None => (Zeroizing::default(), KEY_VARIABLE),
        },
    };
    if key.is_empty() {
        return Err(Error::new(
            Status::MissingApiKey,
            "There is no API key; set options.api_key, or FISH_API_KEY in the environment (create one at \
             fish.audio).",
        ));
    }
    request::check_key(&key, name)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unset_options_have_the_documented_defaults() {
        let client = |options: &Options<'_>| {
            Client::new(&Options { api_key: Some("k"), ..*options }, &|_| None).expect("a client")
        };
        let milliseconds = Duration::from_millis;
        let settings = |client: &Client| (client.timeout, client.route.connect_timeout, client.max_retries);
        let default = client(&Options::default());
        assert_eq!(settings(&default), (milliseconds(15_000), milliseconds(5_000), 2));
        let set = Options { timeout_ms: 1, connect_timeout_ms: 2, max_retries: 3, ..Options::default() };
        assert_eq!(settings(&client(&set)), (milliseconds(1), milliseconds(2), 3));
        assert_eq!(client(&Options { max_retries: -1, ..set }).max_retries, 0);

        // A query's own timeout may be shorter or longer.
        for timeout in [None, Some(milliseconds(1)), Some(milliseconds(60_000))] {
            let prepared = default.prepare(&Query { timeout, ..Query::default() }).expect("a call");
            assert_eq!(prepared.timeout, timeout.unwrap_or(milliseconds(15_000)));
        }
    }
}
