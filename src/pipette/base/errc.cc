#include "pipette/base/errc.h"

#include <array>
#include <cassert>
#include <string>

namespace pipette {
namespace {

using enum Errc;

constexpr std::array kRows = {
    ErrcRow{would_block, "not yet", 0, "", true},

    ErrcRow{timed_out, "deadline expired", 0, "", false},
    ErrcRow{connection_reset, "connection reset by the peer", 0, "", false},
    ErrcRow{connection_refused, "nobody listens at that address", 0, "", false},
    ErrcRow{connection_aborted, "connection aborted", 0, "", false},
    ErrcRow{operation_canceled, "operation canceled", 0, "", false},
    ErrcRow{broken_pipe, "the sending side of the connection is closed", 0, "", false},
    ErrcRow{end_of_stream, "the peer has finished sending", 0, "", false},
    ErrcRow{address_in_use, "address in use", 0, "", false},
    ErrcRow{address_not_available, "address not available", 0, "", false},
    ErrcRow{too_many_open_files, "no file descriptor left in the process", 0, "", false},
    ErrcRow{too_many_open_files_in_system, "no file descriptor left in the system", 0, "", false},
    ErrcRow{host_unreachable, "no route to the host", 0, "", false},
    ErrcRow{network_unreachable, "no route to the network", 0, "", false},
    ErrcRow{host_not_found, "no address for that name", 0, "", false},
    ErrcRow{bad_address, "not an address", 0, "", false},
    ErrcRow{not_supported, "not supported here", 0, "", false},
    ErrcRow{listener_closed, "listener closed", 0, "", false},

    ErrcRow{bad_method, "method is not a token", 400, "RFC 9112 3.1", false},
    ErrcRow{bad_target, "target is none of the four forms", 400, "RFC 9112 3.2", false},
    ErrcRow{bad_version, "malformed HTTP version", 400, "RFC 9112 2.3", false},
    ErrcRow{bad_status, "malformed status line", 502, "RFC 9112 4", false},
    ErrcRow{unsupported_version, "HTTP version not supported", 505, "RFC 9110 15.6.6", false},
    ErrcRow{target_too_long, "request target too long", 414, "RFC 9112 3", false},
    ErrcRow{start_line_too_long, "start line too long", 414, "RFC 9112 3", false},

    ErrcRow{bad_line_end, "line does not end with CR LF", 400, "RFC 9112 2.2", false},
    ErrcRow{bad_field_name, "field name is not a token followed by a colon", 400, "RFC 9112 5.1", false},
    ErrcRow{bad_field_value, "control character in a field value", 400, "RFC 9110 5.5", false},
    ErrcRow{obsolete_line_folding, "folded field line", 400, "RFC 9112 5.2", false},
    ErrcRow{field_too_large, "field line too large", 431, "RFC 9110 5.4", false},
    ErrcRow{too_many_fields, "too many field lines", 431, "RFC 9110 5.4", false},
    ErrcRow{head_too_large, "head too large", 431, "RFC 9110 5.4", false},
    ErrcRow{missing_host, "no Host field", 400, "RFC 9112 3.2", false},
    ErrcRow{repeated_host, "more than one Host field", 400, "RFC 9112 3.2", false},
    ErrcRow{bad_host, "malformed Host field", 400, "RFC 9112 3.2", false},

    ErrcRow{bad_content_length, "malformed or repeated Content-Length", 400, "RFC 9112 6.3", false},
    ErrcRow{conflicting_framing, "Content-Length beside Transfer-Encoding", 400, "RFC 9112 6.1", false},
    ErrcRow{unknown_transfer_coding, "transfer coding not understood", 501, "RFC 9112 6.1", false},
    ErrcRow{bad_transfer_coding, "malformed, repeated or misplaced transfer coding", 400, "RFC 9112 6.1", false},
    ErrcRow{bad_chunk, "malformed chunk", 400, "RFC 9112 7.1", false},
    ErrcRow{chunk_overhead_too_large, "too many octets of chunk extensions", 400, "RFC 9112 7.1.1", false},
    ErrcRow{body_too_large, "body too large", 413, "RFC 9110 15.5.14", false},
    ErrcRow{incomplete_message, "the message ended before its body was complete", 400, "RFC 9112 8", false},
    ErrcRow{expectation_failed, "expectation not understood", 417, "RFC 9110 15.5.18", false},

    ErrcRow{bad_reason, "reason phrase too long, or with a control character", 500, "RFC 9112 4", true},
    ErrcRow{wrong_body_size, "the body is not of the size its head declares", 500, "RFC 9110 8.6", false},
    ErrcRow{bad_trailer, "field that may not stand in a trailer section", 500, "RFC 9110 6.5.1", true},

    ErrcRow{bad_uri, "malformed URI", 400, "RFC 3986 3", true},
    ErrcRow{bad_field_list, "malformed list in a field value", 400, "RFC 9110 5.6.1", true},
    ErrcRow{bad_media_type, "malformed media type", 400, "RFC 9110 8.3.1", true},
    ErrcRow{bad_date, "malformed date", 400, "RFC 9110 5.6.7", true},
    ErrcRow{bad_cookie, "malformed cookie", 400, "RFC 6265bis 4.1", true},
    ErrcRow{unsafe_cookie, "cookie without what its name or its attributes demand", 400, "RFC 6265bis 4.1.3", true},
    ErrcRow{too_many_cookies, "too many cookies", 431, "RFC 9110 5.4", true},
    ErrcRow{bad_entity_tag, "malformed entity tag", 400, "RFC 9110 8.8.3", true},
    ErrcRow{bad_range, "malformed range", 400, "RFC 9110 14.1.1", true},
    ErrcRow{not_acceptable, "nothing that is offered is acceptable", 406, "RFC 9110 15.5.7", true},
    ErrcRow{bad_credentials, "malformed credentials", 400, "RFC 9110 11.4", true},
    ErrcRow{bad_base64, "malformed base64", 400, "RFC 4648 4", true},
    ErrcRow{bad_number, "not a number, or out of range", 400, "RFC 9110 15.5.1", true},
    ErrcRow{too_many_args, "too many arguments", 400, "RFC 9110 15.5.1", true},
    ErrcRow{bad_multipart, "malformed multipart body", 400, "RFC 2046 5.1.1", true},
    ErrcRow{too_many_parts, "too many parts", 413, "RFC 9110 15.5.14", true},
    ErrcRow{part_head_too_large, "head of a part too large", 413, "RFC 9110 15.5.14", true},
    ErrcRow{part_too_large, "part too large", 413, "RFC 9110 15.5.14", true},
    ErrcRow{multipart_too_large, "multipart body too large", 413, "RFC 9110 15.5.14", true},
    ErrcRow{unknown_content_coding, "content coding not understood, or too many", 415, "RFC 9110 15.5.16", true},
    ErrcRow{bad_content_coding, "content that its coding does not allow", 400, "RFC 9110 8.4", true},

    ErrcRow{resolve_timeout, "the name was not resolved in time", 504, "RFC 9110 15.6.5", true},
    ErrcRow{connect_timeout, "nobody was connected to in time", 504, "RFC 9110 15.6.5", true},
    ErrcRow{tls_handshake_timeout, "the TLS handshake did not end in time", 504, "RFC 9110 15.6.5", true},
    ErrcRow{proxy_timeout, "the proxy did not open a tunnel in time", 504, "RFC 9110 15.6.5", true},
    ErrcRow{pool_wait_timeout, "no connection became free in time", 504, "RFC 9110 15.6.5", true},
    ErrcRow{write_timeout, "the request was not sent in time", 504, "RFC 9110 15.6.5", true},
    ErrcRow{expect_continue_timeout, "nobody said in time whether to continue", 504, "RFC 9110 15.6.5", true},
    ErrcRow{response_header_timeout, "the head of the response did not come in time", 504, "RFC 9110 15.6.5", true},
    ErrcRow{body_timeout, "the body did not come in time", 504, "RFC 9110 15.6.5", true},

    ErrcRow{too_many_redirects, "too many redirects", 502, "RFC 9110 15.4", true},
    ErrcRow{refused_redirect, "a redirect that is not followed", 502, "RFC 9110 15.4", true},

    ErrcRow{proxy_refused, "the proxy does not connect to that address", 502, "RFC 9110 15.6.3", true},
    ErrcRow{proxy_unauthorized, "the proxy wants other credentials", 502, "RFC 9110 15.5.8", true},
    ErrcRow{bad_proxy_answer, "malformed answer of a proxy", 502, "RFC 9110 15.6.3", true},

    ErrcRow{bad_certificate, "certificate or key that cannot be used", 500, "RFC 5280 4", true},
    ErrcRow{certificate_expired, "the certificate has expired", 502, "RFC 5280 4.1.2.5", true},
    ErrcRow{certificate_not_yet_valid, "the certificate is not valid yet", 502, "RFC 5280 4.1.2.5", true},
    ErrcRow{certificate_name_mismatch, "the certificate is for another name", 502, "RFC 9110 4.3.4", true},
    ErrcRow{certificate_untrusted, "nobody trusted has issued the certificate", 502, "RFC 5280 6", true},
    ErrcRow{certificate_missing, "the peer has shown no certificate", 502, "RFC 8446 4.4.2", true},
    ErrcRow{tls_mismatch, "no TLS version, cipher or protocol in common", 502, "RFC 8446 4.1.1", true},
    ErrcRow{tls_refused, "the peer has ended TLS with an alert", 502, "RFC 8446 6.2", true},
    ErrcRow{bad_tls_record, "what came is not TLS, or has been tampered with", 502, "RFC 8446 5", true},

    ErrcRow{no_available_target, "no target is there for the call", 503, "RFC 9110 15.6.4", true},

    ErrcRow{managed_field, "the stack sets that field itself", 500, "RFC 9112 6", true},
    ErrcRow{tunnel_not_supported, "no tunnels here", 501, "RFC 9110 9.3.6", false},
    ErrcRow{misdirected_request, "https on a connection that is not secured", 421, "RFC 9110 7.4", false},
    ErrcRow{method_not_allowed, "method not allowed here", 405, "RFC 9110 15.5.6", false},
    ErrcRow{request_timeout, "request not received in time", 408, "RFC 9110 15.5.9", false},
    ErrcRow{unsupported_scheme, "URL scheme not supported", 400, "RFC 9110 4.2", true},
    ErrcRow{unexpected_response, "response that nobody asked for", 502, "RFC 9112 9.2", false},
    ErrcRow{too_many_blocking, "too many blocking functions at once", 503, "RFC 9110 15.6.4", true},
    ErrcRow{too_many_interim_responses, "too many interim responses", 502, "RFC 9110 15.2", false},
    ErrcRow{pipeline_overflow, "too many calls wait on every connection", 503, "RFC 9110 15.6.4", true},
};

// The table is indexed by the enumerator, so its order must be the enumeration's.
constexpr bool rows_are_in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::size_t>(kRows[i].code) != i + 1) return false;
  }
  return kRows.back().code == pipeline_overflow;
}
static_assert(rows_are_in_order(), "kRows: one row an Errc, in the order of the enumeration");

struct PosixTwin {
  Errc code;
  std::errc condition;
};

constexpr std::array kPosixTwins = {
    PosixTwin{would_block, std::errc::operation_would_block},
    PosixTwin{timed_out, std::errc::timed_out},
    PosixTwin{connection_reset, std::errc::connection_reset},
    PosixTwin{connection_refused, std::errc::connection_refused},
    PosixTwin{connection_aborted, std::errc::connection_aborted},
    PosixTwin{operation_canceled, std::errc::operation_canceled},
    PosixTwin{broken_pipe, std::errc::broken_pipe},
    PosixTwin{address_in_use, std::errc::address_in_use},
    PosixTwin{address_not_available, std::errc::address_not_available},
    PosixTwin{too_many_open_files, std::errc::too_many_files_open},
    PosixTwin{too_many_open_files_in_system, std::errc::too_many_files_open_in_system},
    PosixTwin{host_unreachable, std::errc::host_unreachable},
    PosixTwin{network_unreachable, std::errc::network_unreachable},
    PosixTwin{bad_address, std::errc::invalid_argument},
    PosixTwin{not_supported, std::errc::not_supported},
    // Behind timed_out itself, which is what a POSIX error becomes.
    PosixTwin{resolve_timeout, std::errc::timed_out},
    PosixTwin{connect_timeout, std::errc::timed_out},
    PosixTwin{tls_handshake_timeout, std::errc::timed_out},
    PosixTwin{proxy_timeout, std::errc::timed_out},
    PosixTwin{pool_wait_timeout, std::errc::timed_out},
    PosixTwin{write_timeout, std::errc::timed_out},
    PosixTwin{expect_continue_timeout, std::errc::timed_out},
    PosixTwin{response_header_timeout, std::errc::timed_out},
    PosixTwin{body_timeout, std::errc::timed_out},
};

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "pipette"; }

  std::string message(int value) const override {
    if (value < 1 || value > static_cast<int>(kRows.size())) return "unknown error";
    return std::string(errc_row(static_cast<Errc>(value)).message);
  }

  std::error_condition default_error_condition(int value) const noexcept override {
    for (const PosixTwin& twin : kPosixTwins) {
      if (static_cast<int>(twin.code) == value) return std::make_error_condition(twin.condition);
    }
    return {value, *this};
  }
};

}  // namespace

const ErrcRow& errc_row(Errc code) {
  const auto index = static_cast<std::size_t>(code) - 1;
  assert(index < kRows.size());
  return kRows[index];
}

namespace internal {
namespace {
constinit const Category category;
}  // namespace
// Constant from the start, so that errors can be compared while other things are still being initialised.
constinit const std::error_category& kErrcCategory = category;
}  // namespace internal

Errc errc_of(std::error_code error, Errc otherwise) {
  if (error.category() == errc_category()) return static_cast<Errc>(error.value());
  for (const PosixTwin& twin : kPosixTwins) {
    if (error == twin.condition) return twin.code;
  }
  return otherwise;
}

}  // namespace pipette
