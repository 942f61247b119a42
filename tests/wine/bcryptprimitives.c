/*
 * Windows has bcryptprimitives.dll, from which Rust's standard library takes its random numbers; Wine before 8.5 has
 * none. This one stands in for it where the tests run under such a Wine. It is never shipped.
 */

#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length); /* RtlGenRandom, of advapi32 */

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length);

BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) {
  while (length > 0) {
    ULONG piece = length > 1u << 20 ? 1u << 20 : (ULONG)length;
    if (!SystemFunction036(data, piece)) {
      return FALSE;
    }
    data += piece;
    length -= piece;
  }
  return TRUE;
}
