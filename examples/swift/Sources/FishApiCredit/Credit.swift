// What comes back: the account's API credit.

import CFish
import Foundation

/// An account's API credit: what its programs spend, not the platform credit of a plan.
public struct FishCredit: Sendable, Hashable {
    public let id: String
    public let userID: String
    /// The balance; users take it as US dollars. May be negative. `Decimal` holds 38 digits; `creditText` all.
    public let credit: Decimal
    /// The balance, exactly as sent.
    public let creditText: String
    /// The balance x 1,000,000, rounded down, saturating.
    public let creditMicros: Int64
    /// False if `creditMicros` lost something.
    public let creditMicrosExact: Bool
    /// All that was ever paid in. nil: the server did not say.
    public let cumulativeTopUp: Decimal?
    public let cumulativeTopUpText: String?
    /// nil: the text is no RFC 3339 time.
    public let createdAt: Date?
    public let updatedAt: Date?
    /// As sent.
    public let createdAtText: String
    public let updatedAtText: String
    /// nil: the server did not say.
    public let hasPhone: Bool?
    /// nil: the server did not say, as without `checkFreeCredit`.
    public let hasFreeCredit: Bool?
    /// The server's name for this request, for its support. nil: it sent none.
    public let requestID: String?

    /// Copies what the library filled in, and frees it.
    init(taking filled: inout fish_api_credit) {
        self.init(copying: filled)
        fish_api_credit_free(&filled)
    }

    init(copying filled: fish_api_credit) {
        id = text(filled.id) ?? ""
        userID = text(filled.user_id) ?? ""
        creditText = text(filled.credit) ?? ""
        creditMicros = filled.credit_micros
        creditMicrosExact = filled.credit_micros_exact
        credit = decimal(creditText, micros: filled.credit_micros)
        let topUp = text(filled.cumulative_top_up)
        let topUpMicros = filled.cumulative_top_up_micros
        cumulativeTopUpText = topUp
        cumulativeTopUp = topUp.map { decimal($0, micros: topUpMicros) }
        createdAt = date(filled.created_at_unix_us)
        updatedAt = date(filled.updated_at_unix_us)
        createdAtText = text(filled.created_at) ?? ""
        updatedAtText = text(filled.updated_at) ?? ""
        hasPhone = answer(filled.has_phone_sha256)
        hasFreeCredit = answer(filled.has_free_credit)
        requestID = text(filled.request_id)
    }
}

/// A copy of C's text.
func text(_ pointer: UnsafePointer<CChar>?) -> String? {
    pointer.map { String(cString: $0) }
}

/// The text as a number; what no Decimal can hold comes from the micros.
private func decimal(_ text: String, micros: Int64) -> Decimal {
    Decimal(string: text) ?? Decimal(micros) / Decimal(1_000_000)
}

private func date(_ micros: Int64) -> Date? {
    micros == timeUnknown ? nil : Date(timeIntervalSince1970: Double(micros) / 1_000_000)
}

// C's fish_tristate, whichever way Swift shows it.
private func answer<Tristate: RawRepresentable>(_ tristate: Tristate) -> Bool?
where Tristate.RawValue: BinaryInteger {
    answer(tristate.rawValue)
}

private func answer<Number: BinaryInteger>(_ tristate: Number) -> Bool? {
    if tristate == 0 { return false }
    return tristate == 1 ? true : nil
}
