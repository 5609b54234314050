"""A signature made without any of our code, with a key that is used for nothing else:

openssl dgst -sha3-256 -hex -r data.txt | cut -d' ' -f1 | tr -d '\\n' > hash.txt
openssl pkeyutl -sign -inkey key.pem -in hash.txt | base64 -w0
"""

KEY = """\
-----BEGIN PRIVATE KEY-----
MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQCenonSDeHg4IcY
+ZE79kR+YhLZKArb9n99rJ52eLJlHJcAsIzJXXhUHnEDjo9dSf+z52w3LzMkbgMS
CiH7Ht8UnAw/guS5txd0grzPQYpPJvqekEX67poP0IjEl97pgOvTkxGfHwIC19lL
VDf+du5z442Yj7+kHM/yky5kMohpfkxhTQI3g9ukGKrQFGxPUn2BL2ufPNgplpTW
WsV1rJNmGFiK6T3/rd2PijTFFPezMmbI1wmeCnXLQk47vYwQ6rS825xcm+ELc+8K
ljNmj8xcBJVvN1SlobmBS9cANiQ/Q/FI7STjy5Mge9SY108SZqRgunzH4nfAjX7u
V3o6dj6pAgMBAAECggEAE0tGCOi64ct1624KAkDvrm7YC5WhEoX+locdhFwkmQN8
A6+2BFVsClFknlHkMu0KHzRGd8T0Q9lk4rgcT4s/B+b+X2hY0ZVJk1jGxjAa9otP
f2Odu4rz7voG9ODjUsRliygPw+r15+ohCpZtNDT7xtl2UwkjPr9pdQB9q17xNGGh
H3mbRssgpbCKFNSxmhLgLra4x22r2yQrBcwlIGWIDe5njf/hmKrmmSBaRnFCP3n+
CIBqXDZU2TadR+rVNbcVFnybGyYKrsf60IVgvMoeJPBMkfZVUXnDiLlIH63IesSj
jyRATbXtwSg8lfE3pSvW4i4CwuV7IWNk0wKzuWSrAQKBgQDXZ1qC6mjtXEm8JCfm
rNovowGUD84CmNHV1VSDYJUbpT+n2ZsWsE8OItdCXMS4OkgvTW2Zwl81HDpfLnHG
XPxz77sLSK+GjY0/XPfxlfZ+o8dytgDKECMJLKhqIIV7wlivQstQCCNGLh1aZy95
02Rw5H1Q8sOE0WTOSGWgUc0wgQKBgQC8g31W6e0RFMxYtMdDvMWDOr2xudMAu1/M
5vWDcJoM69butOdvjjuARbDay24t9oTNYztsQd0bVZq5bfg/0AEkYwCUKykcA0l0
udrxcAna66VqZGeX9RHbLaaNn2j52Hp/S5uI9ZDDN7fdfaqTbN31mifuGwIHrPbk
MXwRWXx6KQKBgQDFFi/esRQoedSNbJeFnIpWI9OB4aQhBCqaeILHYkuL6/r+XUBl
1hO/X2mNssvbtJfvj+zETvBF6/oMtLYtRU9H1QVTIcJYXpPqcen7Bbdvz/Lhpl26
hGFKN64wzGjV/9CdK4RTSd7ci70XxmnOEflIwgdXVYhHsj+F7v/tXGteAQKBgAFU
8Hq/tlQLkJID3PCGkeKmdJaf2HTF3hxleVCPaBc1R1RyZLwuBg+W7nPtQf8DIdcN
n2rZYEWEKk6rDzjsMEXgiS2CzIyNHWS8t2ZDQ16PkaCZyv2Q1qp0vRt9B9HUDLF/
iD7EdVxbtWnULHNULpFAoI2XFUGWoDvmeZjpx+5ZAoGBAK2n41/NUUWI3GCbI9xR
NTxLja6108MTYDtb7coruGH9Zq2bKMjHkWRMecedQdXZ1JLaXB4EcguzcNVFsR5g
/5RQBG4XJjF0Mccu3Jdi84iZ0ljCsEKqLar88MLe0rzhAn43fK8J4Hky1y1Nm/uv
D+G5KtCQ230mnbKC2qDVp43D
-----END PRIVATE KEY-----
"""
DATA = "100000000001:gorilla:id,request_id\n0,A1"
SIGNATURE = (
    "ScK8GPdbmhs/odnbfhwod+Hu8Hyk8dQVi45Orm6fW+YslGBxtsTmGTC413C2mte0D3a6yj35N9VqlDyG6c/F6SwBv92qqgWK"
    "uXs6lFmJ9f7suLCmefS7vCrxshi+/IEWFEKyn7/ZnV84O+oEjnVK5i0RicaiUO93DzZZqfwEJZaON9WTpUo5P1/bonCLdHWc"
    "J4iXMIiE5L7bVR5CkVBgGQur9tcQqBGgzblW0ak1Z60C0rNTtsVr2L6IbYy51z48l2vJmChdauL8UJ95CSC09MM5pals5eje"
    "MbyepFxxeDOjY5nfSRRlfklXjxhshuHMT4ZZFRtqBWY9Zn/HwNaDQw=="
)
