//! The call: attempts, deadline, cancel.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::request::{self, Origin, Target, Template};
use crate::response::{self, ApiCredit};
use crate::retry;
use crate::signal::Signal;
use crate::status::Status;
use crate::transport::connection::Answer;
use crate::transport::fault::Fault;
use crate::transport::process::PerProcess;
use crate::transport::proxy::{Environment, Proxy};
use crate::transport::tls::{Roots, Trust};
use crate::transport::{Route, Transport};
use crate::until::{Interrupted, Until};

const DEFAULT_TIMEOUT: Duration = Duration::from_millis(15_000);
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_millis(5_000);
const DEFAULT_MAX_RETRIES: u32 = 2;
const KEY_VARIABLE: &str = "FISH_API_KEY";

/// A client's settings as they were given: zero and `None` mean the default.
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

/// One call: what to ask for, and for how long.
#[derive(Default)]
pub(crate) struct Query<'a> {
    pub target: Target<'a>,
    pub timeout: Option<Duration>,
    pub cancel: Option<Arc<Signal>>,
}

pub(crate) struct Client {
    key: Zeroizing<String>,
    template: Template,
    route: Route,
    timeout: Duration,
    max_retries: u32,
    transport: PerProcess<Transport>,
    /// Raised by `cancel`.
    ended: Signal,
}

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
        // Read even where it will not be used: a wrong option should not wait for https to show.
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
        let template = Template::new(&origin, &key, &user_agent);
        let route = Route { origin, proxy, trust, connect_timeout };
        Ok(Client {
            key,
            template,
            timeout: milliseconds(options.timeout_ms).unwrap_or(DEFAULT_TIMEOUT),
            max_retries,
            transport: PerProcess::new(Transport::new(&route)),
            route,
            ended: Signal::new(),
        })
    }

    /// Ends every call, now and later. Takes no lock and allocates nothing.
    pub(crate) fn cancel(&self) {
        self.ended.raise();
    }

    /// Asks, again where that is worth it, and hands the API credit and its document to `read`.
    pub(crate) fn api_credit<T>(
        &self,
        query: &Query<'_>,
        read: impl Fn(&ApiCredit<'_>, &str) -> T,
    ) -> Result<T> {
        let timeout = query.timeout.unwrap_or(self.timeout);
        let until = Until::new(Instant::now() + timeout, query.cancel.as_deref());
        let request = self.template.request(&query.target)?;
        if until.is_cancelled() || self.ended.is_raised() {
            return Err(Fault::Cancelled.into_error(timeout));
        }
        let transport = self.transport.get(|| Transport::new(&self.route));
        let mut retries = 0;
        loop {
            let answered =
                transport.ask(&self.route, &request, &until, |answer| self.judge(answer, timeout, &read));
            let mut failure = match answered {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(failure)) => failure,
                Err(fault) => fault.into_error(timeout),
            };
            failure.attempts = retries + 1;
            let dice = RandomState::new().hash_one(retries);
            let Some(wait) = retry::backoff(&failure, retries, self.max_retries, until.remaining(), dice)
            else {
                return Err(failure);
            };
            match until.pause(wait) {
                Ok(()) => retries += 1,
                Err(Interrupted::DeadlinePassed) => return Err(failure),
                Err(Interrupted::Cancelled) => {
                    let mut cancelled = Fault::Cancelled.into_error(timeout);
                    cancelled.attempts = failure.attempts;
                    return Err(cancelled);
                }
            }
        }
    }

    /// What an answer means.
    fn judge<T>(
        &self,
        answer: &Answer<'_>,
        timeout: Duration,
        read: impl Fn(&ApiCredit<'_>, &str) -> T,
    ) -> Result<T> {
        match (answer.head.status, &answer.cut) {
            (_, Some(Fault::Cancelled)) => Err(Fault::Cancelled.into_error(timeout)),
            (200, None) => {
                let (credit, document) = response::success(answer, &self.key)?;
                Ok(read(&credit, document))
            }
            (200, Some(cut)) => {
                let mut failure = cut.clone().into_error(timeout);
                response::describe(&mut failure, answer, &self.key);
                Err(failure)
            }
            // The status has said what matters, however the body ended.
            _ => Err(response::failure(answer, &self.key, SystemTime::now())),
        }
    }
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
                return Err(Error::invalid(format!("{KEY_VARIABLE} in the environment is not valid UTF-8.")));
            }
            None => (Zeroizing::default(), KEY_VARIABLE),
        },
    };
    if key.is_empty() {
        return Err(Error::new(
            Status::MissingApiKey,
            "There is no API key; set options.api_key, or FISH_API_KEY in the environment (keys are made at \
             fish.audio).",
        ));
    }
    request::check_key(&key, name)?;
    Ok(key)
}
