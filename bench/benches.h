// The benchmarks, by what they measure. Rows have the names of the Go peers' rows.
#pragma once

namespace pipette::bench {

void add_args_benches();
void add_cookie_benches();
void add_field_benches();
void add_multipart_benches();
void add_server_benches();
void add_upload_benches();
void add_client_benches();
void add_head_benches();
void add_raw_tcp_benches();  // where picohttpparser is installed
void add_tcp_benches();
void add_text_benches();
void add_uri_benches();
void add_write_benches();

}  // namespace pipette::bench
