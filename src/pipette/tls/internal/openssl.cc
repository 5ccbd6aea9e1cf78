#include "pipette/tls/internal/openssl.h"

#include <array>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>

namespace pipette::tls {
namespace {

Errc failure_of_verification(long result) {
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Errc::certificate_expired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Errc::certificate_not_yet_valid;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return Errc::certificate_name_mismatch;
    default:
      return Errc::certificate_untrusted;
  }
}

}  // namespace

std::string take_error() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  if (error == 0) return "no reason given";
  const char* const reason = ERR_reason_error_string(error);
  if (reason != nullptr) return reason;
  std::array<char, 256> text{};
  ERR_error_string_n(error, text.data(), text.size());
  return text.data();
}

void refuse(const std::string& what) {
  throw std::system_error(make_error_code(Errc::bad_certificate), what + ": " + take_error());
}

Errc failure_of(const SSL* ssl) {
  const unsigned long error = ERR_peek_error();
  if (ERR_GET_LIB(error) != ERR_LIB_SSL) return Errc::bad_tls_record;
  const int reason = ERR_GET_REASON(error);
  if (reason > SSL_AD_REASON_OFFSET) return Errc::tls_refused;
  switch (reason) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return failure_of_verification(SSL_get_verify_result(ssl));
    case SSL_R_INVALID_STATUS_RESPONSE:
    case SSL_R_UNSUPPORTED_STATUS_TYPE:
      return Errc::certificate_untrusted;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return Errc::certificate_missing;
    case SSL_R_NO_APPLICATION_PROTOCOL:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_GROUPS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
      return Errc::tls_mismatch;
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return Errc::connection_reset;
    default:
      return Errc::bad_tls_record;
  }
}

}  // namespace pipette::tls
