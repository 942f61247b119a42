#include <fish_api_credit.h>
