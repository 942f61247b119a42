// A scripted loopback HTTP server.

import Foundation

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

final class Server: Sendable {
    /// The whole answer to a request for this path; nil: none, until the client hangs up.
    typealias Answer = @Sendable (_ path: String) -> String?

    let url: String
    /// The head of each request, as it arrives.
    let requests: AsyncStream<String>
    /// One element for each connection that ended.
    let hangUps: AsyncStream<Void>

    private let listener: Int32
    private let answer: Answer
    private let request: AsyncStream<String>.Continuation
    private let hangUp: AsyncStream<Void>.Continuation

    init(_ answer: @escaping Answer) {
        // A client that was cancelled hangs up while an answer is written.
        signal(SIGPIPE, SIG_IGN)
        #if canImport(Glibc)
        let kind = Int32(SOCK_STREAM.rawValue)
        #else
        let kind = SOCK_STREAM
        #endif
        let descriptor = socket(AF_INET, kind, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr = in_addr(s_addr: UInt32(0x7f00_0001).bigEndian)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let size = length
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        precondition(bound == 0 && listen(descriptor, 512) == 0, "no loopback port to listen on")
        let named = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        precondition(named == 0, "a bound socket has a name")

        self.answer = answer
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        listener = descriptor
        (requests, request) = AsyncStream<String>.makeStream()
        (hangUps, hangUp) = AsyncStream<Void>.makeStream()
        Thread.detachNewThread { self.acceptAll() }
    }

    /// No more connections. Those that are open end with their clients.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        #if canImport(Darwin)
        // There only this wakes `accept`.
        close(listener)
        #endif
    }

    private func acceptAll() {
        while true {
            let connection = accept(listener, nil, nil)
            if connection < 0 {
                #if !canImport(Darwin)
                // Here and not in `stop`: until now its number must not become another test's socket.
                close(listener)
                #endif
                return
            }
            Thread.detachNewThread { self.serve(connection) }
        }
    }

    private func serve(_ connection: Int32) {
        defer {
            close(connection)
            hangUp.yield(())
        }
        while let head = readHead(connection) {
            let words = head.split(separator: " ")
            let path = words.count > 1 ? String(words[1]) : ""
            request.yield(head)
            guard let text = answer(path) else {
                var byte: UInt8 = 0
                _ = read(connection, &byte, 1)
                return
            }
            let bytes = Array(text.utf8)
            var sent = 0
            while sent < bytes.count {
                let count = bytes[sent...].withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
                if count <= 0 { return }
                sent += count
            }
        }
    }

    private func readHead(_ connection: Int32) -> String? {
        let end: [UInt8] = [13, 10, 13, 10]
        var head: [UInt8] = []
        var byte: UInt8 = 0
        while !head.suffix(4).elementsEqual(end) {
            guard read(connection, &byte, 1) == 1 else { return nil }
            head.append(byte)
        }
        return String(decoding: head, as: UTF8.self)
    }
}

/// An HTTP answer as text.
func http(_ status: Int, _ body: String, _ headers: [String] = []) -> String {
    let lines = ["HTTP/1.1 \(status) X", "Content-Length: \(body.utf8.count)"] + headers
    return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
}
