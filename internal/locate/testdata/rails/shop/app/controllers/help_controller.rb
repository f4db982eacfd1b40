class HelpController < ActionController::Base
  def contact; end
end
