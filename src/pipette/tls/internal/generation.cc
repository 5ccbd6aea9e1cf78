#include "pipette/tls/internal/generation.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <fstream>
#include <iterator>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sstream>
#include <system_error>
#include <utility>

#include "pipette/base/ascii.h"
#include "pipette/tls/internal/connection.h"

namespace pipette::tls {
namespace {

constexpr const char* kCiphers13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kCiphers12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kGroups = "X25519:P-256:P-384";
// Each costs a server as much as a tenth of a handshake, and a client opens the next connection with one.
constexpr std::size_t kTickets = 1;
constexpr std::size_t kMaxAlpn = 255;

[[noreturn]] void refuse_because(const std::string& what) {
  throw std::system_error(make_error_code(Errc::bad_certificate), what);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file || text.empty()) refuse_because(path + ": cannot be read, or is empty");
  return text;
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = ascii::to_lower(c);
  return lower;
}

std::string encode_alpn(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > kMaxAlpn) refuse_because("ALPN: a protocol of no octet, or of too many");
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  return wire;
}

// Host names that a certificate is for.
std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  auto* const all = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(all, i);
    if (name->type != GEN_DNS) continue;
    const auto* const text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    names.push_back(to_lower({text, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))}));
  }
  GENERAL_NAMES_free(all);
  return names;
}

int no_password(char*, int, int, void*) { return -1; }

int wire_version(Version version) { return version == Version::tls_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION; }

// A host as certificates name it: no brackets, no dot at the end.
std::string bare(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) return std::string(host.substr(1, host.size() - 2));
  if (host.ends_with('.')) host.remove_suffix(1);
  return to_lower(host);
}

STACK_OF(X509) * view_of(const std::vector<OwnedCertificate>& chain, std::size_t first) {
  STACK_OF(X509)* const stack = sk_X509_new_null();
  for (std::size_t i = first; i < chain.size(); ++i) sk_X509_push(stack, chain[i].get());
  return stack;
}

// What the library's own macros do, without their casts.
void set_status_hook(SSL_CTX* context, int (*hook)(SSL*, void*)) {
  SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB, reinterpret_cast<void (*)()>(hook));
}
// The name that a client asks for becomes its session's, and is there again when that goes on.
void keep_names(SSL_CTX* context) {
  int (*const take)(SSL*, int*, void*) = [](SSL*, int*, void*) { return SSL_TLSEXT_ERR_OK; };
  SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, reinterpret_cast<void (*)()>(take));
}
bool ask_for(SSL* ssl, std::string host) {
  return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data()) == 1;
}

const Generation& generation_of(const SSL* ssl) { return Connection::of(ssl).generation(); }

std::string_view asked_name(const SSL* ssl) {
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  return name != nullptr ? name : "";
}

}  // namespace

Generation::Generation(const Library& library, Options options, TicketKeys& tickets, SessionStore& sessions,
                       std::uint64_t epoch)
    : library_(library),
      options_(std::move(options)),
      tickets_(tickets),
      sessions_(sessions),
      epoch_(epoch),
      alpn_(encode_alpn(options_.alpn)) {
  ERR_clear_error();
  for (const Identity& identity : options_.identities) identities_.push_back(load(identity));
  if (!options_.trust.file.empty()) trusted_ = parse_certificates(read_file(options_.trust.file));
  for (OwnedCertificate& certificate : parse_certificates(options_.trust.pem)) {
    trusted_.push_back(std::move(certificate));
  }
  if (!options_.trust.file.empty() && trusted_.empty()) refuse_because(options_.trust.file + ": no certificate in it");
  if (!identities_.empty()) make_server_context();
  if (library_.is_seeded()) make_client_context();  // so that no draw depends on when it is made
}

// ---- reading -----------------------------------------------------------------------------------------------

Generation::LoadedIdentity Generation::load(const Identity& identity) const {
  const std::string chain_name = identity.chain_file.empty() ? "the certificate chain" : identity.chain_file;
  const std::string key_name = identity.key_file.empty() ? "the private key" : identity.key_file;
  const std::string chain = identity.chain_file.empty() ? identity.chain : read_file(identity.chain_file);
  const std::string key = identity.key_file.empty() ? identity.key : read_file(identity.key_file);

  LoadedIdentity loaded;
  loaded.chain = parse_certificates(chain);
  if (loaded.chain.empty()) refuse_because(chain_name + ": no certificate in it");
  const OwnedBio text = read_only(key);
  loaded.key.reset(PEM_read_bio_PrivateKey_ex(text.get(), nullptr, no_password, nullptr, library_.context(), nullptr));
  if (loaded.key == nullptr) refuse(key_name + ": no private key that can be read");
  if (X509_check_private_key(loaded.chain.front().get(), loaded.key.get()) != 1)
    refuse(key_name + " is not the key of " + chain_name);
  loaded.names = names_of(loaded.chain.front().get());
  return loaded;
}

std::vector<OwnedCertificate> Generation::parse_certificates(std::string_view pem) const {
  std::vector<OwnedCertificate> certificates;
  const OwnedBio text = read_only(pem);
  for (;;) {
    X509* certificate = X509_new_ex(library_.context(), nullptr);
    if (PEM_read_bio_X509(text.get(), &certificate, no_password, nullptr) == nullptr) {
      X509_free(certificate);
      break;
    }
    certificates.emplace_back(certificate);
  }
  const unsigned long last = ERR_peek_last_error();
  const bool is_end = last == 0 || (ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE);
  if (!is_end) refuse("a certificate that cannot be read");
  ERR_clear_error();
  return certificates;
}

// ---- contexts ----------------------------------------------------------------------------------------------

OwnedContext Generation::make_context(const SSL_METHOD* method) const {
  OwnedContext made(SSL_CTX_new_ex(library_.context(), nullptr, method));
  SSL_CTX* const context = made.get();
  if (context == nullptr) throw std::bad_alloc();
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                   SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_min_proto_version(context, wire_version(options_.min_version));
  SSL_CTX_set_max_proto_version(context, wire_version(options_.max_version));
  if (options_.min_version > options_.max_version) refuse_because("min_version is above max_version");
  if (SSL_CTX_set_ciphersuites(context, kCiphers13) != 1 || SSL_CTX_set_cipher_list(context, kCiphers12) != 1 ||
      SSL_CTX_set1_groups_list(context, kGroups) != 1) {
    refuse("ciphers");
  }
  if (options_.on_key_log) SSL_CTX_set_keylog_callback(context, log_keys);
  for (const LoadedIdentity* shown : default_suite_) {
    STACK_OF(X509)* const chain = view_of(shown->chain, 1);
    const int used = SSL_CTX_use_cert_and_key(context, shown->chain.front().get(), shown->key.get(), chain, 1);
    sk_X509_free(chain);
    if (used != 1) refuse("a certificate");
  }
  return made;
}

void Generation::make_server_context() {
  for (const LoadedIdentity& identity : identities_) {
    for (const std::string& name : identity.names) {
      add_to(suites_[name.starts_with("*.") ? name.substr(1) : name], identity);
    }
    if (identity.names == identities_.front().names) add_to(default_suite_, identity);
  }
  server_ = make_context(TLS_server_method());
  SSL_CTX* const context = server_.get();
  SSL_CTX_set_cert_cb(context, choose_certificate, this);
  keep_names(context);
  if (!alpn_.empty()) SSL_CTX_set_alpn_select_cb(context, choose_protocol, this);
  limit_sessions(context);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  issue_tickets(context, true);
  if (options_.ocsp_response) {
    set_status_hook(context, staple);
    SSL_CTX_set_tlsext_status_arg(context, this);
  }
  if (options_.client_certificate == ClientCertificate::ignored) return;
  if (trusted_.empty()) refuse_because("client certificates are asked for, and nobody is trusted to issue them");
  trust_given(context);
  for (const OwnedCertificate& issuer : trusted_) SSL_CTX_add_client_CA(context, issuer.get());
  const bool is_required = options_.client_certificate == ClientCertificate::required;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (is_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
}

SSL_CTX* Generation::client_context() {
  std::call_once(client_once_, [this] {
    if (client_ == nullptr) make_client_context();
    if (options_.trust.system && !options_.skips_verification) SSL_CTX_set_default_verify_paths(client_.get());
  });
  return client_.get();
}

void Generation::make_client_context() {
  client_ = make_context(TLS_client_method());
  SSL_CTX* const context = client_.get();
  trust_given(context);
  SSL_CTX_set_verify(context, options_.skips_verification ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  issue_tickets(context, false);
  if (options_.accepts_ocsp) {
    SSL_CTX_set_tlsext_status_type(context, TLSEXT_STATUSTYPE_ocsp);
    set_status_hook(context, judge_staple);
    SSL_CTX_set_tlsext_status_arg(context, this);
  }
}

void Generation::issue_tickets(SSL_CTX* context, bool is_server) const {
  if (!options_.session_tickets.value_or(!library_.is_seeded())) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
    return;
  }
  SSL_CTX_set_num_tickets(context, kTickets);
  if (is_server) {
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, prepare_ticket);
  } else {
    SSL_CTX_sess_set_new_cb(context, keep_session);
  }
}

// A session goes on only where its client's certificate would be believed again: who resumes is not verified.
void Generation::limit_sessions(SSL_CTX* context) const {
  std::string terms(1, static_cast<char>(options_.client_certificate));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  if (options_.client_certificate != ClientCertificate::ignored) {
    for (const OwnedCertificate& issuer : trusted_) {
      unsigned size = 0;
      if (X509_digest(issuer.get(), EVP_sha256(), digest.data(), &size) != 1) refuse("a digest");
      terms.append(reinterpret_cast<const char*>(digest.data()), size);
    }
  }
  std::size_t size = 0;
  if (EVP_Q_digest(library_.context(), "SHA256", nullptr, terms.data(), terms.size(), digest.data(), &size) != 1 ||
      SSL_CTX_set_session_id_context(context, digest.data(), static_cast<unsigned>(size)) != 1) {
    refuse("a digest");
  }
}

void Generation::trust_given(SSL_CTX* context) const {
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  for (const OwnedCertificate& certificate : trusted_) X509_STORE_add_cert(store, certificate.get());
}

OwnedSsl Generation::make_server() const {
  if (server_ == nullptr) return nullptr;
  OwnedSsl ssl(SSL_new(server_.get()));
  if (ssl == nullptr) throw std::bad_alloc();
  SSL_set_accept_state(ssl.get());
  return ssl;
}

OwnedSsl Generation::make_client(const net::ServerName& name, const net::Alpn& alpn) {
  OwnedSsl made(SSL_new(client_context()));
  SSL* const ssl = made.get();
  if (ssl == nullptr) throw std::bad_alloc();
  SSL_set_connect_state(ssl);
  const std::string host = bare(name.host);
  X509_VERIFY_PARAM* const rules = SSL_get0_param(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) != 1) {
    ERR_clear_error();
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    // To OpenSSL a dot in front means every name below.
    const bool is_name = !host.empty() && host.front() != '.' && ask_for(ssl, host) &&
                         X509_VERIFY_PARAM_set1_host(rules, host.data(), host.size()) == 1;
    if (!is_name && !options_.skips_verification) return nullptr;
  }
  const std::string protocols = encode_alpn(alpn.protocols);
  if (!protocols.empty()) {
    SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(protocols.data()),
                        static_cast<unsigned>(protocols.size()));
  }
  if (const OwnedSession session = sessions_.take(host)) SSL_set_session(ssl, session.get());
  return made;
}

// ---- which certificate -------------------------------------------------------------------------------------

// The first one of a kind of key stays.
void Generation::add_to(Suite& suite, const LoadedIdentity& identity) {
  const auto kind = [](const LoadedIdentity& one) { return EVP_PKEY_get_base_id(one.key.get()); };
  const bool is_there = std::ranges::any_of(suite, [&](const auto* one) { return kind(*one) == kind(identity); });
  if (!is_there) suite.push_back(&identity);
}

// Exactly that name, or else a wildcard for its first label (RFC 9525 §6.3), or else the first of all.
const Generation::Suite& Generation::suite_for(std::string name) const {
  if (const auto found = suites_.find(name); found != suites_.end()) return found->second;
  const std::size_t dot = name.find('.');
  if (dot != std::string::npos && dot > 0) {
    if (const auto found = suites_.find(std::string_view(name).substr(dot)); found != suites_.end())
      return found->second;
  }
  return default_suite_;
}

int Generation::choose_certificate(SSL* ssl, void* generation) {
  const auto& self = *static_cast<const Generation*>(generation);
  const std::string_view name = asked_name(ssl);
  if (name.empty() || self.identities_.size() == 1) return 1;
  const Suite& suite = self.suite_for(bare(name));
  if (suite == self.default_suite_) return 1;
  SSL_certs_clear(ssl);
  for (const LoadedIdentity* shown : suite) {
    STACK_OF(X509)* const chain = view_of(shown->chain, 1);
    const int used = SSL_use_cert_and_key(ssl, shown->chain.front().get(), shown->key.get(), chain, 1);
    sk_X509_free(chain);
    if (used != 1) return 0;
  }
  return 1;
}

// ---- what OpenSSL calls ------------------------------------------------------------------------------------

int Generation::choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                                unsigned offered_size, void* generation) {
  const std::string& ours = static_cast<const Generation*>(generation)->alpn_;
  unsigned char* chosen = nullptr;
  const int outcome = SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(ours.data()),
                                            static_cast<unsigned>(ours.size()), offered, offered_size);
  if (outcome != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

int Generation::prepare_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                               EVP_MAC_CTX* mac, int is_new) {
  const Connection& connection = Connection::of(ssl);
  TicketKeys& keys = connection.generation().tickets_;
  const WallTime now = connection.loop().wall_now();
  if (is_new == 1) return keys.prepare_to_issue(now, name, iv, cipher, mac);
  const int outcome = keys.prepare_to_read(now, name, iv, cipher, mac);
  const bool is_for_one_use = SSL_version(ssl) >= TLS1_3_VERSION;
  return outcome == 1 && is_for_one_use ? 2 : outcome;
}

int Generation::staple(SSL* ssl, void* generation) {
  const std::string response = static_cast<const Generation*>(generation)->options_.ocsp_response(asked_name(ssl));
  if (response.empty()) return SSL_TLSEXT_ERR_NOACK;
  void* const copy = OPENSSL_memdup(response.data(), response.size());
  if (copy == nullptr) return SSL_TLSEXT_ERR_ALERT_FATAL;
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(response.size()));
  return SSL_TLSEXT_ERR_OK;
}

int Generation::judge_staple(SSL* ssl, void* generation) {
  const unsigned char* response = nullptr;
  const long size = SSL_get_tlsext_status_ocsp_resp(ssl, &response);
  std::string_view stapled;
  if (size > 0) stapled = {reinterpret_cast<const char*>(response), static_cast<std::size_t>(size)};
  const Options& options = static_cast<const Generation*>(generation)->options_;
  return options.accepts_ocsp(Connection::of(ssl).server_name(), stapled) ? 1 : 0;
}

int Generation::keep_session(SSL* ssl, SSL_SESSION* session) {
  const Generation& self = generation_of(ssl);
  self.sessions_.put(bare(Connection::of(ssl).server_name()), OwnedSession(session), self.epoch_);
  return 1;
}

void Generation::log_keys(const SSL* ssl, const char* line) { generation_of(ssl).options_.on_key_log(line); }

}  // namespace pipette::tls
