#include "pipette/tls/authority.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <system_error>
#include <utility>

#include "pipette/tls/internal/library.h"
#include "pipette/tls/internal/openssl.h"

namespace pipette::tls {
namespace {

using namespace std::chrono_literals;

constexpr long kVersion3 = 2;
constexpr WallTime kForever = std::chrono::sys_days(std::chrono::year(2250) / 1 / 1);

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  const OwnedBio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return text_of(bio.get());
}

std::string pem_of(EVP_PKEY* key) {
  const OwnedBio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio.get());
}

void set_time(ASN1_TIME* field, WallTime time) {
  ASN1_TIME_set(field, std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time)));
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  if (extension == nullptr) refuse("a certificate with " + value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void set_subject(X509* certificate, const std::string& name) {
  X509_NAME* const subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.data()),
                             static_cast<int>(name.size()), -1, 0);
}

OwnedCertificate begin_certificate(OSSL_LIB_CTX* library, long serial, WallTime from, WallTime until, EVP_PKEY* key) {
  OwnedCertificate certificate(X509_new_ex(library, nullptr));
  X509_set_version(certificate.get(), kVersion3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  set_time(X509_getm_notBefore(certificate.get()), from);
  set_time(X509_getm_notAfter(certificate.get()), until);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

OwnedKey make_key(OSSL_LIB_CTX* library, bool is_rsa) {
  constexpr std::size_t kRsaBits = 2048;
  OwnedKey key(is_rsa ? EVP_PKEY_Q_keygen(library, nullptr, "RSA", kRsaBits)
                      : EVP_PKEY_Q_keygen(library, nullptr, "EC", "P-256"));
  if (key == nullptr) refuse("a key");
  return key;
}

// Nothing in a name may end it and begin another extension.
bool is_name(const std::string& name) { return !name.empty() && name.find_first_of(",\n\r;") == std::string::npos; }

bool is_ip(const std::string& name) {
  ASN1_OCTET_STRING* const address = a2i_IPADDRESS(name.c_str());
  ASN1_OCTET_STRING_free(address);
  return address != nullptr;
}

}  // namespace

struct Authority::Keys {
  OwnedKey key;
  OwnedCertificate certificate;
};

Authority::Authority() : Authority(std::make_unique<Library>(std::nullopt)) {}
Authority::Authority(const Random& random) : Authority(std::make_unique<Library>(random)) {}

Authority::Authority(std::unique_ptr<Library> library) : library_(std::move(library)), keys_(std::make_unique<Keys>()) {
  keys_->key = make_key(library_->context(), false);
  keys_->certificate = begin_certificate(library_->context(), serial_, WallTime(), kForever, keys_->key.get());
  X509* const certificate = keys_->certificate.get();
  set_subject(certificate, "an authority for tests");
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign");
  add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
  if (X509_sign(certificate, keys_->key.get(), EVP_sha256()) == 0) refuse("a certificate");
  certificate_ = pem_of(certificate);
}

Authority::~Authority() = default;

Identity Authority::issue(const CertificateRequest& request) {
  std::string names;
  for (const std::string& name : request.names) {
    if (!is_name(name)) throw std::system_error(make_error_code(Errc::bad_certificate), "a name in a certificate");
    names += std::string(names.empty() ? "" : ",") + (is_ip(name) ? "IP:" : "DNS:") + name;
  }
  const OwnedKey key = make_key(library_->context(), request.is_rsa);
  const OwnedCertificate owned =
      begin_certificate(library_->context(), ++serial_, request.from, request.until, key.get());
  X509* const certificate = owned.get();
  if (!request.names.empty()) set_subject(certificate, request.names.front());
  X509* const issuer = keys_->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature");
  add_extension(certificate, issuer, NID_ext_key_usage, request.is_for_client ? "clientAuth" : "serverAuth");
  if (!names.empty()) add_extension(certificate, issuer, NID_subject_alt_name, names);
  add_extension(certificate, issuer, NID_authority_key_identifier, "keyid");
  if (X509_sign(certificate, keys_->key.get(), EVP_sha256()) == 0) refuse("a certificate");
  return Identity::from_memory(pem_of(certificate), pem_of(key.get()));
}

Trust Authority::trust() const { return {.system = false, .file = {}, .pem = certificate_}; }

}  // namespace pipette::tls
