package io.github.fishapicredit;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/**
 * Which credit to read, and how.
 *
 * @param userId the wallet's owner; null: the key's own account
 * @param teamId the team whose API credit to read; null: the account's own
 * @param checkFreeCredit also ask for {@link Credit#hasFreeCredit}
 * @param timeout for this whole call; null: the client's
 */
public record Query(String userId, String teamId, boolean checkFreeCredit, Duration timeout) {
    /** The key's own account. */
    public static final Query OWN = new Query(null, null, false, null);

    public Query withUserId(String userId) {
        return new Query(userId, teamId, checkFreeCredit, timeout);
    }

    public Query withTeamId(String teamId) {
        return new Query(userId, teamId, checkFreeCredit, timeout);
    }

    public Query withCheckFreeCredit(boolean checkFreeCredit) {
        return new Query(userId, teamId, checkFreeCredit, timeout);
    }

    public Query withTimeout(Duration timeout) {
        return new Query(userId, teamId, checkFreeCredit, timeout);
    }

    /** The struct that C reads. */
    MemorySegment given(Arena arena) {
        var given = arena.allocate(Abi.ApiCreditQuery.SIZE, 8);
        given.set(ADDRESS, Abi.ApiCreditQuery.USER_ID, Given.text(arena, "userId", userId));
        given.set(ADDRESS, Abi.ApiCreditQuery.TEAM_ID, Given.text(arena, "teamId", teamId));
        given.set(JAVA_BOOLEAN, Abi.ApiCreditQuery.CHECK_FREE_CREDIT, checkFreeCredit);
        given.set(JAVA_INT, Abi.ApiCreditQuery.TIMEOUT_MS, Given.milliseconds("timeout", timeout));
        return given;
    }
}
