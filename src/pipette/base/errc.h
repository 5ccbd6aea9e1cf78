// Every way in which a peer, the network or a message can go wrong, in one table.
//
//   Errc --> ErrcRow { message, HTTP status, RFC section, does the connection survive }
//
// A server that must refuse a request, a client that must explain a failed call, a log line and a test
// all read the same row, so they cannot disagree.
//
// Errors   those that POSIX names too compare equal to its std::errc condition on every transport:
//          `error == std::errc::timed_out` holds on a pipe, on TCP and on TLS.
// Threads  constant data, any thread.
#pragma once

#include <string_view>
#include <system_error>

namespace pipette {

enum class Errc {
  // Not an error: "not yet". Never leaves net/ and its backends.
  would_block = 1,

  // Connections, listeners and networks.
  timed_out,
  connection_reset,
  connection_refused,
  connection_aborted,
  operation_canceled,
  broken_pipe,
  end_of_stream,
  address_in_use,
  address_not_available,
  too_many_open_files,
  too_many_open_files_in_system,
  host_unreachable,
  network_unreachable,
  host_not_found,
  bad_address,
  not_supported,
  listener_closed,

  // Messages: the start line.
  bad_method,
  bad_target,
  bad_version,
  bad_status,
  unsupported_version,
  target_too_long,
  start_line_too_long,

  // Messages: fields.
  bad_line_end,
  bad_field_name,
  bad_field_value,
  obsolete_line_folding,
  field_too_large,
  too_many_fields,
  head_too_large,
  missing_host,
  repeated_host,
  bad_host,

  // Messages: bodies.
  bad_content_length,
  conflicting_framing,
  unknown_transfer_coding,
  bad_transfer_coding,
  bad_chunk,
  chunk_overhead_too_large,
  body_too_large,
  incomplete_message,
  expectation_failed,
  bad_reason,
  wrong_body_size,
  bad_trailer,

  // What fields, targets and bodies hold.
  bad_uri,
  bad_field_list,
  bad_media_type,
  bad_date,
  bad_cookie,
  unsafe_cookie,
  too_many_cookies,
  bad_entity_tag,
  bad_range,
  not_acceptable,
  bad_credentials,
  bad_base64,
  bad_number,
  too_many_args,
  bad_multipart,
  too_many_parts,
  part_head_too_large,
  part_too_large,
  multipart_too_large,
  unknown_content_coding,
  bad_content_coding,

  // The phases of a call that took too long. Each equals std::errc::timed_out.
  resolve_timeout,
  connect_timeout,
  tls_handshake_timeout,
  proxy_timeout,
  pool_wait_timeout,
  write_timeout,
  expect_continue_timeout,
  response_header_timeout,
  body_timeout,

  // Redirects.
  too_many_redirects,
  refused_redirect,

  // Proxies on the way.
  proxy_refused,
  proxy_unauthorized,
  bad_proxy_answer,

  // What secures a connection.
  bad_certificate,
  certificate_expired,
  certificate_not_yet_valid,
  certificate_name_mismatch,
  certificate_untrusted,
  certificate_missing,
  tls_mismatch,
  tls_refused,
  bad_tls_record,

  // Targets to choose from.
  no_available_target,

  // Exchanges.
  managed_field,
  tunnel_not_supported,
  misdirected_request,
  method_not_allowed,
  request_timeout,
  unsupported_scheme,
  unexpected_response,
  too_many_blocking,
  too_many_interim_responses,
  pipeline_overflow,
};

struct ErrcRow {
  Errc code;
  std::string_view message;
  int status;                // what a server answers with; 0: nothing can be answered
  std::string_view section;  // where the rule stands; empty: not a rule of HTTP's
  bool connection_survives;  // whether a server may go on reading requests from the connection
};

// The row of `code`. Every Errc has one.
const ErrcRow& errc_row(Errc code);

namespace internal {
extern const std::error_category& kErrcCategory;
}  // namespace internal

inline const std::error_category& errc_category() { return internal::kErrcCategory; }
inline std::error_code make_error_code(Errc code) { return {static_cast<int>(code), errc_category()}; }

// The Errc inside `error`, also when it came as a POSIX error; `otherwise` when there is no such Errc.
Errc errc_of(std::error_code error, Errc otherwise = Errc::connection_aborted);

}  // namespace pipette

template <>
struct std::is_error_code_enum<pipette::Errc> : std::true_type {};
