//! The contender that is Rust: ureq as it comes with a global timeout, and ureq's agent over a transport and a
//! resolver that do the least there is to do. This program plays it when its first argument says so.

use std::io::{BufRead, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde::Deserialize;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Agent, Error};

const KEY: &str = "Bearer 0123456789abcdef0123456789abcdef";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `Agent` with its defaults and a global timeout; the answer decoded by serde_json.
    Stock,
    /// `Agent::with_parts`, no timeouts; the answer's bytes and nothing more.
    MinimalTransport,
}

impl Kind {
    pub fn argument(self) -> &'static str {
        match self {
            Kind::Stock => "contender-ureq",
            Kind::MinimalTransport => "contender-ureq-minimal",
        }
    }

    pub fn parse(argument: &str) -> Option<Kind> {
        [Kind::Stock, Kind::MinimalTransport].into_iter().find(|kind| kind.argument() == argument)
    }
}

#[derive(Deserialize)]
#[allow(dead_code)] // Filled, as every contender's is, and not read.
struct ApiCredit {
    #[serde(rename = "_id")]
    id: String,
    user_id: String,
    credit: String,
    cumulative_top_up: Option<String>,
    created_at: String,
    updated_at: String,
    has_phone_sha256: Option<bool>,
    has_free_credit: Option<bool>,
}

/// As benches/c/contender.h says; THREADS must be 1.
pub fn run(kind: Kind, arguments: &[String]) {
    let [host, port, ca_file, threads] = arguments else { panic!("HOST PORT CA_FILE THREADS") };
    assert_eq!(threads, "1");
    let scheme = if ca_file.is_empty() { "http" } else { "https" };
    let url = format!("{scheme}://{host}:{port}/wallet/self/api-credit");
    let agent = match kind {
        Kind::Stock => stock(ca_file),
        Kind::MinimalTransport => minimal(),
    };
    let call = || {
        let request = agent.get(&url).header("Authorization", KEY).header("Accept", "application/json");
        let mut response = request.call().unwrap();
        let body = response.body_mut().read_to_vec().unwrap();
        if kind == Kind::Stock {
            let credit: ApiCredit = serde_json::from_slice(&body).unwrap();
            assert_eq!(credit.credit, "12.345678");
        }
    };
    for line in std::io::stdin().lock().lines() {
        let count: u32 = line.unwrap().parse().unwrap();
        let begun = Instant::now();
        (0..count).for_each(|_| call());
        println!("{}", begun.elapsed().as_nanos());
    }
}

fn stock(ca_file: &str) -> Agent {
    let config = Agent::config_builder().timeout_global(Some(Duration::from_secs(15))).proxy(None);
    if ca_file.is_empty() {
        return config.build().into();
    }
    let pem = std::fs::read(ca_file).unwrap();
    let roots = parse_pem(&pem).filter_map(|item| match item.unwrap() {
        PemItem::Certificate(certificate) => Some(certificate),
        _ => None,
    });
    let roots: Vec<Certificate<'static>> = roots.collect();
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&roots)).build();
    config.tls_config(tls).build().into()
}

fn minimal() -> Agent {
    Agent::with_parts(Agent::config_builder().proxy(None).build(), Plain, Literal)
}

#[derive(Debug)]
struct Literal;

impl Resolver for Literal {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        addresses.push(uri.authority().unwrap().as_str().parse().unwrap());
        Ok(addresses)
    }
}

#[derive(Debug)]
struct Plain;

impl Connector for Plain {
    type Out = PlainTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<PlainTransport>, Error> {
        let socket = TcpStream::connect(&details.addrs[..])?;
        socket.set_nodelay(true)?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(PlainTransport { socket, buffers }))
    }
}

struct PlainTransport {
    socket: TcpStream,
    buffers: LazyBuffers,
}

impl std::fmt::Debug for PlainTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlainTransport")
    }
}

impl Transport for PlainTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), Error> {
        Ok(self.socket.write_all(&self.buffers.output()[..amount])?)
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
        let read = self.socket.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    fn is_open(&mut self) -> bool {
        true
    }
}
