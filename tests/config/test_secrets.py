import pytest

from scoreline.config.secrets import holds_secret, is_secret_key, redacted, without_secrets


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "db_password",
        "aws_secret_access_key",
        "accessKeyId",
        "apiKey",
        "api_key",
        "authToken",
        "private-key",
    ],
)
def test_names_of_secrets_are_recognised(key: str) -> None:
    assert is_secret_key(key)


@pytest.mark.parametrize("key", ["key", "tokenizer", "passthrough", "secretary", "columns", "on", "keyword"])
def test_ordinary_names_are_not_taken_for_secrets(key: str) -> None:
    assert not is_secret_key(key)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("s3://me:pw@bucket/x", "s3://***@bucket/x"),
        ("https://h/x?X-Amz-Signature=abc&v=1", "https://h/x?X-Amz-Signature=***&v=1"),
        ("id AKIAABCDEFGHIJKLMNOP.", "id ***."),
        ("train.password=pw", "train.password=***"),
    ],
)
def test_credentials_in_texts_are_hidden(text: str, hidden: str) -> None:
    assert without_secrets(text) == hidden


@pytest.mark.parametrize("text", ["s3://bucket/a@b/c:d", "tcp://host:8786", "a/b?x=1", "12:30@noon", "%H:%M"])
def test_ordinary_texts_hold_no_secret(text: str) -> None:
    assert not holds_secret(text)
    assert without_secrets(text) == text


def test_every_text_of_a_value_is_redacted() -> None:
    assert redacted({"a": ["s3://me:pw@b", 1], "b": None}) == {"a": ["s3://***@b", 1], "b": None}
