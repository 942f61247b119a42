/**
 * Read a Fish Audio account's API credit: libfish_api_credit by java.lang.foreign, for Java 22 and later.
 *
 * <pre>{@code
 * try (var client = new FishClient()) {     // the key is in FISH_API_KEY
 *     System.out.println(client.apiCredit().credit());
 * }
 * }</pre>
 */
package io.github.fishapicredit;
