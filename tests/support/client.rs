//! The C interface, called from Rust as a C program would. Results become owned values that a test can compare.

#![allow(clippy::result_large_err)] // A failure is compared whole, and nothing here is in a hurry.

use std::ffi::{CStr, CString, c_char};
use std::mem::{MaybeUninit, zeroed};
use std::ptr;
use std::thread;
use std::time::{Duration, Instant};

use ::fish_api_credit::ffi::*;

use super::clock;

pub const KEY: &str = "sk-test-0123456789abcdef";

/// A client, freed when it is dropped. Shared between threads as C would share the pointer.
pub struct Client(pub *mut fish_client);

// SAFETY: the header promises that any number of threads may call with one client.
unsafe impl Send for Client {}
// SAFETY: as above.
unsafe impl Sync for Client {}

/// Options by name, and how C gets them.
macro_rules! options {
    (texts: $($text:ident)*; numbers: $($number:ident: $kind:ty),*;) => {
        /// What is left out is zero.
        #[derive(Default, Clone)]
        pub struct Options<'a> {
            $(pub $text: Option<&'a str>,)*
            $(pub $number: $kind,)*
        }

        impl Options<'_> {
            fn given<T>(&self, take: impl FnOnce(&fish_client_options) -> T) -> T {
                $(let $text = c(self.$text);)*
                take(&fish_client_options {
                    $($text: pointer(&$text),)*
                    $($number: self.$number,)*
                    reserved: Default::default(),
                })
            }
        }
    };
}

options! {
    texts: api_key base_url proxy_url ca_file user_agent;
    numbers: timeout_ms: u32, connect_timeout_ms: u32, max_retries: i32, tls_roots: i32;
}

#[derive(Default, Clone)]
pub struct Query<'a> {
    pub user_id: Option<&'a str>,
    pub team_id: Option<&'a str>,
    pub check_free_credit: bool,
    pub timeout_ms: u32,
    pub cancel: Option<&'a Token>,
}

pub struct Token(pub *mut fish_cancel_token);

// SAFETY: the header promises that any thread may cancel.
unsafe impl Send for Token {}
// SAFETY: as above.
unsafe impl Sync for Token {}

impl Token {
    pub fn new() -> Token {
        let token = fish_cancel_token_new();
        assert!(!token.is_null());
        Token(token)
    }

    pub fn cancel(&self) {
        // SAFETY: alive until dropped.
        unsafe { fish_cancel_token_cancel(self.0) };
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        // SAFETY: made above, freed once.
        unsafe { fish_cancel_token_free(self.0) };
    }
}

/// What comes back, and how it is taken over from C.
macro_rules! credit {
    (never_null: $($text:ident)*; texts: $($optional:ident)*; values: $($value:ident: $kind:ty),*;) => {
        #[derive(Debug, Clone, PartialEq)]
        pub struct Credit {
            $(pub $text: String,)*
            $(pub $optional: Option<String>,)*
            $(pub $value: $kind,)*
        }

        impl Credit {
            /// SAFETY: the credit was filled.
            unsafe fn of(credit: &fish_api_credit) -> Credit {
                // SAFETY: as the function demands; the fields the header calls never NULL are not.
                unsafe {
                    Credit {
                        $($text: owned(credit.$text).expect(stringify!($text)),)*
                        $($optional: owned(credit.$optional),)*
                        $($value: credit.$value as $kind,)*
                    }
                }
            }
        }
    };
}

credit! {
    never_null: id user_id credit created_at updated_at;
    texts: cumulative_top_up request_id;
    values: credit_micros: i64, cumulative_top_up_micros: i64, created_at_unix_us: i64, updated_at_unix_us: i64,
        credit_micros_exact: bool, has_phone_sha256: i32, has_free_credit: i32;
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Failure {
    pub status: fish_status,
    pub http_status: i32,
    pub attempts: u32,
    pub retry_after_ms: u32,
    pub retryable: bool,
    pub message: String,
    pub api_message: Option<String>,
    pub api_reason: Option<String>,
    pub request_id: Option<String>,
    pub body: Option<String>,
    pub field_errors: Vec<FieldError>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct FieldError {
    pub location: String,
    pub source: Option<String>,
    pub kind: String,
    pub message: String,
    pub context: Option<String>,
}

fn c(text: Option<&str>) -> Option<CString> {
    text.map(|text| CString::new(text).expect("no NUL in a test's text"))
}

fn pointer(text: &Option<CString>) -> *const c_char {
    text.as_ref().map_or(ptr::null(), |text| text.as_ptr())
}

/// SAFETY: NULL or NUL-terminated.
unsafe fn owned(text: *const c_char) -> Option<String> {
    // SAFETY: as the function demands.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_str().expect("UTF-8").to_owned())
}

impl Client {
    pub fn new(options: &Options<'_>) -> Result<Client, Failure> {
        let mut client = ptr::dangling_mut();
        report(|error| {
            // SAFETY: every pointer is valid for the call.
            options.given(|raw| unsafe { fish_client_new(raw, &mut client, error) })
        })
        .inspect_err(|_| assert!(client.is_null()))?;
        assert!(!client.is_null());
        Ok(Client(client))
    }

    /// For a test server: the test key, no proxy from the tester's environment, no retries.
    pub fn once(base_url: &str) -> Client {
        Client::new(&Options::once(base_url)).expect("a client")
    }

    pub fn get(&self, query: &Query<'_>) -> Result<Credit, Failure> {
        self.with_query(query, |raw| {
            let mut credit = MaybeUninit::<fish_api_credit>::uninit();
            // SAFETY: every pointer is valid for the call, and the credit is filled by it.
            unsafe {
                let got = report(|error| fish_get_api_credit(self.0, raw, credit.as_mut_ptr(), error));
                let credit = credit.assume_init_mut();
                got.inspect_err(|_| assert!(credit.owner.is_null() && credit.id.is_null()))?;
                Ok(take(credit))
            }
        })
    }

    pub fn get_json(&self, query: &Query<'_>) -> Result<String, Failure> {
        self.with_query(query, |raw| {
            let mut json = ptr::dangling_mut();
            // SAFETY: every pointer is valid for the call.
            unsafe {
                report(|error| fish_get_api_credit_json(self.0, raw, &mut json, error))
                    .inspect_err(|_| assert!(json.is_null()))?;
                let text = owned(json).expect("a document");
                fish_string_free(json);
                Ok(text)
            }
        })
    }

    /// Cancels a call when `ready` returns: it must be under way then, and over at once. Gives its failure.
    pub fn cancelled(&self, what: &str, query: &Query<'_>, ready: impl FnOnce()) -> Failure {
        self.cancelled_by(&Token::new(), what, query, ready)
    }

    pub fn cancelled_by(
        &self,
        token: &Token,
        what: &str,
        query: &Query<'_>,
        ready: impl FnOnce(),
    ) -> Failure {
        let query = Query { cancel: Some(token), ..query.clone() };
        let failure = thread::scope(|scope| {
            let call = scope.spawn(|| self.get(&query).unwrap_err());
            ready();
            assert!(!call.is_finished(), "{what}");
            clock::ends_by(what, Duration::ZERO, || {
                token.cancel();
                call.join().unwrap()
            })
        });
        assert_eq!(name(failure.status), "FISH_CANCELLED", "{what}: {failure:?}");
        assert!(!failure.retryable, "{what}");
        failure
    }

    /// Makes a call that must end with its time, and fail as `FISH_TIMED_OUT`. Gives its failure.
    pub fn times_out(&self, what: &str, query: &Query<'_>, limit_ms: u32) -> Failure {
        let limit = Duration::from_millis(limit_ms.into());
        let failure = clock::ends_at(what, limit, || self.get(query).unwrap_err());
        assert_eq!(name(failure.status), "FISH_TIMED_OUT", "{what}: {failure:?}");
        assert!(failure.retryable, "{what}: {failure:?}");
        failure
    }

    pub fn timed(&self, query: &Query<'_>) -> (Result<Credit, Failure>, Duration) {
        let begun = Instant::now();
        let got = self.get(query);
        (got, begun.elapsed())
    }

    pub fn start(&self, query: &Query<'_>) -> Result<Call, Failure> {
        self.with_query(query, |raw| {
            let mut call = ptr::dangling_mut();
            // SAFETY: every pointer is valid for the call.
            report(|error| unsafe { fish_call_start(self.0, raw, &mut call, error) })
                .inspect_err(|_| assert!(call.is_null()))?;
            Ok(Call(call))
        })
    }

    pub fn watch(&self, query: &Query<'_>, options: &WatchOptions) -> Result<Watch, Failure> {
        let WatchOptions { interval_ms, low_micros, recovered_micros } = *options;
        let options = fish_watch_options { interval_ms, low_micros, recovered_micros, reserved: [0; 6] };
        self.with_query(query, |raw| {
            let mut watch = ptr::dangling_mut();
            // SAFETY: every pointer is valid for the call.
            report(|error| unsafe { fish_watch_start(self.0, raw, &options, &mut watch, error) })
                .inspect_err(|_| assert!(watch.is_null()))?;
            Ok(Watch(watch))
        })
    }

    pub fn cancel(&self) {
        // SAFETY: alive until dropped.
        unsafe { fish_client_cancel(self.0) };
    }

    fn with_query<T>(&self, query: &Query<'_>, body: impl FnOnce(*const fish_api_credit_query) -> T) -> T {
        let (user_id, team_id) = (c(query.user_id), c(query.team_id));
        let raw = fish_api_credit_query {
            user_id: pointer(&user_id),
            team_id: pointer(&team_id),
            check_free_credit: query.check_free_credit.into(),
            timeout_ms: query.timeout_ms,
            cancel: query.cancel.map_or(ptr::null_mut(), |token| token.0),
            reserved: [0; 4],
        };
        body(&raw)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // SAFETY: made by fish_client_new, freed once; a test joins its threads first.
        unsafe { fish_client_free(self.0) };
    }
}

/// A call in the background, freed when it is dropped.
pub struct Call(pub *mut fish_call);

// SAFETY: the header promises that any thread may use it.
unsafe impl Send for Call {}
// SAFETY: as above.
unsafe impl Sync for Call {}

impl Call {
    pub fn is_done(&self) -> bool {
        // SAFETY: alive until dropped.
        unsafe { fish_call_is_done(self.0) }
    }

    pub fn wait(&self, timeout_ms: u32) -> fish_status {
        // SAFETY: alive until dropped.
        unsafe { fish_call_wait(self.0, timeout_ms) }
    }

    pub fn descriptor(&self) -> isize {
        // SAFETY: alive until dropped.
        unsafe { fish_call_descriptor(self.0) }
    }

    pub fn result(&self) -> Result<Credit, Failure> {
        let mut credit = MaybeUninit::<fish_api_credit>::uninit();
        // SAFETY: every pointer is valid for the call, and the credit is filled by it.
        unsafe {
            let got = report(|error| fish_call_result(self.0, credit.as_mut_ptr(), error));
            let credit = credit.assume_init_mut();
            got.inspect_err(|_| assert!(credit.owner.is_null() && credit.id.is_null()))?;
            Ok(take(credit))
        }
    }

    pub fn result_json(&self) -> Result<String, Failure> {
        let mut json = ptr::dangling_mut();
        // SAFETY: every pointer is valid for the call.
        unsafe {
            report(|error| fish_call_result_json(self.0, &mut json, error))
                .inspect_err(|_| assert!(json.is_null()))?;
            let text = owned(json).expect("a document");
            fish_string_free(json);
            Ok(text)
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // SAFETY: made by fish_call_start, freed once.
        unsafe { fish_call_free(self.0) };
    }
}

/// A watch, freed when it is dropped.
pub struct Watch(pub *mut fish_watch);

// SAFETY: the header promises that any thread may use it.
unsafe impl Send for Watch {}
// SAFETY: as above.
unsafe impl Sync for Watch {}

/// What is left out is zero.
#[derive(Default, Clone, Copy)]
pub struct WatchOptions {
    pub interval_ms: u32,
    pub low_micros: i64,
    pub recovered_micros: i64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub credit: Option<Credit>,
    pub level: i32,
    pub status: fish_status,
    pub failures: u32,
    pub next_ms: u32,
    pub age_ms: u64,
    pub changes: u64,
    pub failure: Option<Failure>,
}

impl Watch {
    pub fn read(&self) -> State {
        let mut state = MaybeUninit::<fish_watch_state>::uninit();
        let mut status = 0;
        // SAFETY: every pointer is valid for the call, and the state is filled by it.
        unsafe {
            let reported = report(|error| {
                status = fish_watch_read(self.0, state.as_mut_ptr(), error);
                // Before the first reading there is no failure to tell of, so the error is that of success.
                if status == FISH_PENDING { FISH_OK } else { status }
            });
            let state = state.assume_init_mut();
            assert_eq!(state.status, status, "the state's status is the function's");
            let credit = &mut state.credit;
            assert_eq!(credit.owner.is_null(), credit.id.is_null());
            let read = State {
                credit: (!credit.id.is_null()).then(|| take(credit)),
                level: state.level as i32,
                status,
                failures: state.failures,
                next_ms: state.next_ms,
                age_ms: state.age_ms,
                changes: state.changes,
                failure: reported.err(),
            };
            fish_watch_state_free(state);
            fish_watch_state_free(state);
            read
        }
    }

    pub fn refresh(&self) {
        // SAFETY: alive until dropped.
        unsafe { fish_watch_refresh(self.0) };
    }

    pub fn descriptor(&self) -> isize {
        // SAFETY: alive until dropped.
        unsafe { fish_watch_descriptor(self.0) }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // SAFETY: made by fish_watch_start, freed once.
        unsafe { fish_watch_free(self.0) };
    }
}

/// Whether a descriptor is readable, now or within that time.
#[cfg(unix)]
pub fn readable(descriptor: isize, timeout_ms: i32) -> bool {
    let mut fd = libc::pollfd { fd: descriptor.try_into().unwrap(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one pollfd, which is there.
    let ready = unsafe { libc::poll(&mut fd, 1, timeout_ms) };
    assert!(ready >= 0 && fd.revents & !libc::POLLIN == 0, "{ready} {}", fd.revents);
    ready == 1
}

impl Options<'_> {
    pub fn test() -> Options<'static> {
        Options { api_key: Some(KEY), proxy_url: Some(""), ..Options::default() }
    }

    /// For a test server, without retries.
    pub fn once(base_url: &str) -> Options<'_> {
        Options { base_url: Some(base_url), max_retries: -1, ..Options::test() }
    }
}

pub fn decode(document: &[u8]) -> Result<Credit, Failure> {
    let mut credit = MaybeUninit::<fish_api_credit>::uninit();
    // SAFETY: every pointer is valid for the call, and the credit is filled by it.
    unsafe {
        let (start, length) = (document.as_ptr().cast(), document.len());
        report(|error| fish_api_credit_from_json(start, length, credit.as_mut_ptr(), error))?;
        Ok(take(credit.assume_init_mut()))
    }
}

/// SAFETY: the credit was filled.
unsafe fn take(credit: &mut fish_api_credit) -> Credit {
    // SAFETY: as the function demands.
    unsafe {
        let taken = Credit::of(credit);
        fish_api_credit_free(credit);
        taken
    }
}

/// Makes a call, and checks what rule 3 of the header promises of its error.
pub fn report(call: impl FnOnce(*mut fish_error) -> fish_status) -> Result<(), Failure> {
    // SAFETY: all-zero is a fish_error.
    let mut error: fish_error = unsafe { zeroed() };
    error.status = -7;
    let status = call(&mut error);
    assert_eq!(error.status, status, "the error's status is the function's");
    if status == FISH_OK {
        assert!(error.message.is_null() && error.owner.is_null() && error.attempts == 0);
        return Ok(());
    }
    // SAFETY: the library filled it.
    let failure = unsafe {
        let rows = if error.field_error_count == 0 {
            &[][..]
        } else {
            std::slice::from_raw_parts(error.field_errors, error.field_error_count)
        };
        let failure = Failure {
            status,
            http_status: error.http_status,
            attempts: error.attempts,
            retry_after_ms: error.retry_after_ms,
            retryable: error.retryable,
            message: owned(error.message).expect("a failure has a message"),
            api_message: owned(error.api_message),
            api_reason: owned(error.api_reason),
            request_id: owned(error.request_id),
            body: owned(error.body),
            field_errors: rows
                .iter()
                .map(|row| FieldError {
                    location: owned(row.location).expect("location"),
                    source: owned(row.source),
                    kind: owned(row.r#type).expect("type"),
                    message: owned(row.message).expect("message"),
                    context: owned(row.context),
                })
                .collect(),
        };
        fish_error_free(&mut error);
        fish_error_free(&mut error);
        failure
    };
    assert!(!failure.message.contains(KEY), "{failure:?}");
    Err(failure)
}

/// The name of a status in the header.
pub fn name(status: fish_status) -> &'static str {
    // SAFETY: static and NUL-terminated.
    unsafe { CStr::from_ptr(fish_status_name(status)) }.to_str().unwrap()
}
