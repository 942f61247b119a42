// Written from src/ffi: FISH_WRITE=1 cargo test --test generated
layouts! {
    fish_client_options {
        api_key,
        base_url,
        proxy_url,
        ca_file,
        user_agent,
        timeout_ms,
        connect_timeout_ms,
        max_retries,
        tls_roots,
        reserved,
    }
    fish_api_credit_query {
        user_id,
        team_id,
        check_free_credit,
        timeout_ms,
        cancel,
        reserved,
    }
    fish_api_credit {
        id,
        user_id,
        credit,
        cumulative_top_up,
        created_at,
        updated_at,
        request_id,
        credit_micros,
        cumulative_top_up_micros,
        created_at_unix_us,
        updated_at_unix_us,
        credit_micros_exact,
        has_phone_sha256,
        has_free_credit,
        owner,
        reserved,
    }
    fish_field_error {
        location,
        source,
        r#type,
        message,
        context,
    }
    fish_error {
        status,
        http_status,
        attempts,
        retry_after_ms,
        retryable,
        message,
        api_message,
        api_reason,
        request_id,
        body,
        field_errors,
        field_error_count,
        owner,
        reserved,
    }
    fish_watch_options {
        interval_ms,
        low_micros,
        recovered_micros,
        reserved,
    }
    fish_watch_state {
        credit,
        level,
        status,
        failures,
        next_ms,
        age_ms,
        changes,
        owner,
        reserved,
    }
}
