// A call in the library's background, and waiting for the library's descriptors without a thread.

import CFish
import Dispatch
import Foundation

/// Where descriptors are told of. What is done here is short.
let waitingQueue = DispatchQueue(label: "fish-api-credit")

/// One call in the library's background. It is let go with its last reference.
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
                // There was no descriptor left. A thread of its own: Swift's own must not wait.
                Thread.detachNewThread {
                    _ = fish_call_wait(self.pointer, UInt32.max)
                    continuation.resume()
                }
                return
            }
            let source = DispatchSource.makeReadSource(fileDescriptor: Int32(descriptor), queue: waitingQueue)
            source.setEventHandler { source.cancel() }
            // The source has let go of the descriptor by then, so the call may close it.
            source.setCancelHandler {
                withExtendedLifetime(self) {}
                continuation.resume()
            }
            source.activate()
        }
    }

    func result() -> Result<FishCredit, FishError> {
        var filled = fish_api_credit()
        var failure = fish_error()
        guard fish_call_result(pointer, &filled, &failure) == succeeded else {
            return .failure(FishError(taking: &failure))
        }
        return .success(FishCredit(taking: &filled))
    }
}
