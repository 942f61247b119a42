// The library's background call, and waiting for its descriptor without a thread.

import CFish
import Dispatch
import Foundation

/// The queue for events of descriptors. Its handlers are short.
let waitingQueue = DispatchQueue(label: "fish-api-credit")

/// A background call of the library, freed with its last reference.
final class BackgroundCall: @unchecked Sendable {
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        fish_call_free(pointer)
    }

    func done() async {
        await withCheckedContinuation { continuation in
            let descriptor = fish_call_descriptor(pointer)
            guard descriptor >= 0 else {
                // No descriptor was available. Waits on a new thread, because Swift's own must not block.
                Thread.detachNewThread {
                    _ = fish_call_wait(self.pointer, UInt32.max)
                    continuation.resume()
                }
                return
            }
            let source = DispatchSource.makeReadSource(fileDescriptor: Int32(descriptor), queue: waitingQueue)
            source.setEventHandler { source.cancel() }
            // The source no longer uses the descriptor here, so the call may close it.
            source.setCancelHandler {
                withExtendedLifetime(self) {}
                continuation.resume()
            }
            source.activate()
        }
    }

    func credit() -> Result<FishCredit, FishError> {
        var filled = fish_api_credit()
        var failure = fish_error()
        guard fish_call_result(pointer, &filled, &failure) == succeeded else {
            return .failure(FishError(taking: &failure))
        }
        return .success(FishCredit(taking: &filled))
    }

    func document() -> Result<String, FishError> {
        var document: UnsafeMutablePointer<CChar>?
        var failure = fish_error()
        guard fish_call_result_json(pointer, &document, &failure) == succeeded else {
            return .failure(FishError(taking: &failure))
        }
        defer { fish_string_free(document) }
        return .success(text(document) ?? "")
    }
}
