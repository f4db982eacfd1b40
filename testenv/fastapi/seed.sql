-- The passwords are test data and stand in the recipes; the hashes are salt$scrypt, see store.py.
INSERT INTO users (user_id, username, email, password_hash) VALUES
    ('5f0a3c1e-8d5b-4b62-9a57-2f6f4d0c9e11', 'alice', 'alice@example.test',
     '68bbc8eea48608765061ab06c670b6f5$95b525f858184b05a67b910502d9886fff53539cef64ea100c9ad599f37a9940bdd5729a636e9a146523c52f6e4bb4dc438d9ac34ec47bd5a641e39cf8285961'),
    ('c3b7e9d2-41f6-4e0a-b1c8-7d92a65e3f04', 'bob', 'bob@example.test',
     '80c0534b1a67f367eeecc0d5ef5b78a8$ef8853ce90f9619241d0169b55576ec42eb3327af7cb2b6af69a964e4b6a5ea7e52b8e1f32af2f39b04cafd594ed7768c1d735e8947492e1b912a771e17a75e9')
ON CONFLICT (user_id) DO NOTHING;
