/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/json.h"

#include "tap.h"

static json_t *read_text(const char *text, struct cni_error *err)
{
	return json_read(text, strlen(text), err);
}

static void test_documents(void)
{
	static const char *const documents[] = {
		"{}", " {} \n", "[]", "null", "true", "1", "\"x\"", "{\"a\":1,\"a\":2}", "\t\r\n{\"a\":[[]]}",
	};

	for (size_t i = 0; i < sizeof(documents) / sizeof(*documents); i++) {
		struct cni_error err = { 0 };
		json_auto_t *doc = read_text(documents[i], &err);

		ok(doc, "%s is a document", documents[i]);
		is_str(err.msg, "", "and no error");
	}
}

static void test_no_documents(void)
{
	static const char *const texts[] = {
		"{",
		"{\"a\"",
		"{\"a\":",
		"[1,",
		"{} {}",
		"{}x",
		"{]",
		"{'a':1}",
		"{\"a\":01}",
		"{a:1}",
		"nul",
		"\"",
		"{,}",
		"[1,]",
		"\xff",
		"{\"\xff\":1}",
		"\"\\ud800\"",
		"\"\n\"",
		"\xef\xbb\xbf{}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct cni_error err = { 0 };
		json_auto_t *doc = read_text(texts[i], &err);

		ok(!doc, "%s is not a document", texts[i]);
		is_int(err.code, CNI_DECODE, "which is a decoding failure");
		ok(*err.msg, "with a message");
	}
}

static void test_early_end(void)
{
	static const char *const texts[] = { "", "{", "{\"a\":", "[1,", "\"x" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct cni_error err = { 0 };
		json_auto_t *doc = read_text(texts[i], &err);

		ok(!doc, "%s is not a document", texts[i]);
		is_str(err.msg, "unexpected end of JSON input", "with Go's message");
	}
}

static void test_bytes(void)
{
	struct cni_error err = { 0 };
	json_auto_t *exact = json_read("{}garbage", 2, &err);
	json_auto_t *nul = json_read("{}\0", 3, NULL);

	ok(exact, "only the given bytes are read");
	ok(!nul, "a NUL byte after the document is refused, also with a NULL error");
}

static void test_depth(void)
{
	struct cni_error err = { 0 };
	char text[100000];
	json_auto_t *doc = NULL;

	memset(text, '[', sizeof(text));
	doc = json_read(text, sizeof(text), &err);
	ok(!doc, "a hundred thousand brackets are refused without exhausting the stack");
}

static void test_keys(void)
{
	json_auto_t *doc =
		read_text("{\"Master\":\"a\",\"mtu\":1,\"MTU\":2,\"none\":null,\"was\":1,\"WAS\":null}",
			  NULL);

	is_str(json_string_value(json_field(doc, "master")), "a", "a key matches in upper and lower case");
	is_int(json_integer_value(json_field(doc, "mtu")), 2, "the last of several equal keys wins");
	ok(!json_field(doc, "none"), "null means absent");
	ok(!json_field(doc, "was"), "also when it is the last of several");
	ok(!json_field(doc, "maste"), "a part of a key is not that key");
	ok(!json_field(NULL, "x"), "NULL has no fields");
	ok(!json_field(json_null(), "x"), "null has no fields");
	ok(!json_field(json_object_get(doc, "mtu"), "x"), "a number has no fields");
}

static void test_absent(void)
{
	json_auto_t *doc = read_text("{\"null\":null}", NULL);
	const char *text = "kept";
	struct cni_error err = { 0 };
	json_t *value = doc;
	long long number = 7;
	bool flag = true;

	is_int(field_string(doc, "", "null", &text, &err), 0, "an absent string is not an error");
	is_str(text, "kept", "and the default stays");
	is_int(field_int(doc, "", "null", 0, 1, &number, &err), 0, "an absent integer is not an error");
	is_int(number, 7, "and the default stays, in range or not");
	is_int(field_bool(doc, "", "x", &flag, &err), 0, "an absent boolean is not an error");
	ok(flag, "and the default stays");
	is_int(field_object(doc, "", "x", &value, &err), 0, "an absent object is not an error");
	is_int(field_array(doc, "", "x", &value, &err), 0, "an absent list is not an error");
	ok(value == doc, "and the default stays for both");
	is_str(err.msg, "", "the error is empty");
}

static void test_present(void)
{
	json_auto_t *doc = read_text("{\"s\":\"\",\"i\":-3,\"t\":true,\"f\":false,\"o\":{},\"a\":[]}", NULL);
	const char *text = NULL;
	json_t *value = NULL;
	long long number = 0;
	bool flag = false;

	is_int(field_string(doc, "", "S", &text, NULL), 0, "an empty string is a string");
	is_str(text, "", "and is empty");
	is_int(field_int(doc, "", "I", -3, -3, &number, NULL), 0, "the ends of a range are valid");
	is_int(number, -3, "the integer is read");
	field_bool(doc, "", "t", &flag, NULL);
	ok(flag, "true is true");
	field_bool(doc, "", "f", &flag, NULL);
	ok(!flag, "false is false");
	is_int(field_object(doc, "", "o", &value, NULL), 0, "an empty object is an object");
	ok(value == json_object_get(doc, "o"), "which is borrowed");
	is_int(field_array(doc, "", "a", &value, NULL), 0, "an empty list is a list");
	ok(value == json_object_get(doc, "a"), "which is borrowed");
}

static void test_wrong_types(void)
{
	json_auto_t *doc = read_text("{\"n\":1,\"r\":1500.0,\"s\":\"1500\",\"big\":70000,\"l\":[1]}", NULL);
	struct cni_error err = { 0 };
	const char *text = "kept";
	long long number = 7;
	json_t *value = NULL;
	bool flag = true;

	is_int(field_string(doc, "ipam.", "n", &text, &err), -1, "a number is not a string");
	is_str(err.msg, "ipam.n must be a string, not 1", "the message names the key and where it is");
	is_int(err.code, CNI_CONFIG, "the code is that of a wrong configuration");
	is_str(text, "kept", "the default stays");

	err = (struct cni_error){ 0 };
	is_int(field_int(doc, "", "s", 0, 9999, &number, &err), -1, "a string is not an integer");
	is_str(err.msg, "s must be an integer, not \"1500\"", "the message quotes the string");
	err = (struct cni_error){ 0 };
	is_int(field_int(doc, "", "r", 0, 9999, &number, &err), -1, "1500.0 is not an integer");
	err = (struct cni_error){ 0 };
	is_int(field_int(doc, "", "big", 0, 65535, &number, &err), -1, "70000 is out of the range");
	is_str(err.msg, "big must be 0 to 65535, not 70000", "the message has the range");
	is_int(number, 7, "the default stays");

	err = (struct cni_error){ 0 };
	is_int(field_bool(doc, "", "n", &flag, &err), -1, "a number is not a boolean");
	is_str(err.msg, "n must be true or false, not 1", "the message has the valid values");
	err = (struct cni_error){ 0 };
	is_int(field_object(doc, "", "l", &value, &err), -1, "a list is not an object");
	is_str(err.msg, "l must be an object, not [1]", "the message shows the list");
	err = (struct cni_error){ 0 };
	is_int(field_array(doc, "", "s", &value, &err), -1, "a string is not a list");
	ok(!value, "the default stays");
	is_int(field_array(doc, "", "s", &value, NULL), -1, "a NULL error is allowed");
}

static void test_nul(void)
{
	json_auto_t *doc = read_text("{\"x\":\"a\\u0000b\",\"end\":\"\\u0000\"}", NULL);
	struct cni_error err = { 0 };
	const char *text = "kept";

	ok(doc, "a NUL character in a string that is not read is not an error");
	is_int(field_string(doc, "", "x", &text, &err), -1, "in a string that is read it is an error");
	is_str(err.msg, "x must be a string without NUL, not \"a\\u0000b\"", "and the message shows it");
	is_int(field_string(doc, "", "end", &text, NULL), -1, "also if it is the only character");
	is_str(text, "kept", "the default stays");
}

static void test_text(void)
{
	static const struct {
		const char *bytes, *text, *name;
	} cases[] = {
		{ "", "", "nothing is an empty string" },
		{ "plain", "plain", "ASCII stays" },
		{ "\x01\x7f", "\x01\x7f", "control characters stay" },
		{ "z\u00fcrich \u20ac \U0001f600", "z\u00fcrich \u20ac \U0001f600", "UTF-8 stays" },
		{ "a\xff"
		  "b",
		  "a\xef\xbf\xbd"
		  "b",
		  "a byte that is never UTF-8 becomes U+FFFD" },
		{ "\x80", "\xef\xbf\xbd", "so does a continuation without a start" },
		{ "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd", "and each byte of an overlong form" },
		{ "\xe0\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "of three bytes as well" },
		{ "\xf0\x80\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "and of four" },
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "and of a surrogate" },
		{ "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
		  "and of what lies beyond U+10FFFF" },
		{ "x\xe2\x82", "x\xef\xbf\xbd\xef\xbf\xbd", "and of a character that was cut" },
		{ "\xf0\x9f\x98", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "however late" },
		{ "\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80", "\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80",
		  "the neighbours of all these stay" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		json_auto_t *value = json_text(cases[i].bytes);

		is_str(json_string_value(value), cases[i].text, "%s", cases[i].name);
	}
}

static void test_any_bytes(void)
{
	static const struct {
		const char *bytes, *text, *name;
	} cases[] = {
		{ "", "", "nothing" },
		{ "eth0.100", "eth0.100", "ASCII" },
		{ "z\u00fcrich", "z\u00fcrich", "UTF-8" },
		{ "e\xe9", "e%E9", "a byte that is not UTF-8" },
		{ "\xff\xfe%\xc3", "%FF%FE%25%C3", "only such bytes and the percent sign" },
		{ "100%25", "100%2525", "what looks like ours" },
	};
	static const char *const foreign[] = { "%", "%4", "%zz", "%00", "% 1", "0123456789" };
	char back[10];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		json_auto_t *value = json_bytes(cases[i].bytes);

		is_str(json_string_value(value), cases[i].text, "%s", cases[i].name);
		ok(json_bytes_read(value, back, sizeof(back)), "%s, read", cases[i].name);
		is_str(back, cases[i].bytes, "%s, as it was", cases[i].name);
	}
	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++) {
		json_auto_t *value = json_string(foreign[i]);

		ok(!json_bytes_read(value, back, sizeof(back)), "\"%s\" is not read", foreign[i]);
	}
	ok(!json_bytes_read(NULL, back, sizeof(back)), "nor is what does not exist");
}

int main(void)
{
	test_documents();
	test_no_documents();
	test_early_end();
	test_bytes();
	test_depth();
	test_keys();
	test_absent();
	test_present();
	test_wrong_types();
	test_nul();
	test_text();
	test_any_bytes();
	return done();
}
