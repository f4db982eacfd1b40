class LateController < ActionController::Base
  def never; end
end
